// Somebody who was seen, and all that is known of them.
import { Badge, h, Link } from "../host.js";
import { FaceCrop, Picture } from "../parts/media.js";
import { stashPage } from "../stash.js";
import { intl, t, textOr } from "../texts.js";
import { Acting } from "./acting.js";
import { Candidates } from "./candidates.js";
import { Correcting } from "./correcting.js";
import { Evidence } from "./evidence.js";
import { Figures } from "./figures.js";
import { candidatesOf, faceKey, personKey, subjectOf } from "./people.js";

const DECISIONS = { known: "info", uncertain: "warning", unknown: "secondary", ignored: "dark" };
const MOST_NAMES = 3;

/** An element's id, by which the focus finds a person again. */
export const personElementId = (person) => `stash-sense-who-person-${personKey(person)}`;

/** A person; without a way to act where `page.isLive`, for they may still change. */
export function Person({ person, page }) {
  const subject = subjectOf(person, page.extras);
  const candidates = candidatesOf(person, page.extras);
  const name = nameOf(person, subject, candidates);
  const local = subject && page.locals.get(subject.universalId);
  const isIn = local !== undefined && local !== null && page.performersIn?.has(local.id);
  return h(
    "li",
    { className: `stash-sense-who-person stash-sense-who-person-${person.decision}` },
    h(Face, { person, page, name }),
    h(
      "div",
      { className: "stash-sense-who-person-text" },
      h(
        "h3",
        { className: "h5", id: personElementId(person), tabIndex: -1 },
        h(Heading, { person, subject, candidates, local })
      ),
      h(
        "div",
        { className: "stash-sense-who-marks" },
        h(
          Badge,
          { variant: DECISIONS[person.decision] ?? "secondary" },
          textOr(`who.decision.${person.decision}`, person.decision)
        ),
        isIn && h(Badge, { variant: "success" }, t("who.isIn", { kind: page.kind })),
        page.kind !== "image" && h("span", { className: "stash-sense-quiet" }, t("who.seen", { kind: page.kind, count: person.frame_count })),
        subject && h(Figures, { candidate: subject })
      ),
      !page.isLive && h(Evidence, { person, page, name }),
      !page.isLive && subject && h(Acting, { candidate: subject, person, page }),
      page.isKept && h(Correcting, { person, subject, candidates, page, name }),
      !page.isLive && h(Candidates, { candidates, person, page, key: person.decision })
    )
  );
}

/** What a person is called where a text wants one name. */
function nameOf(person, subject, candidates) {
  if (subject) return subject.name;
  if (person.decision === "uncertain" && candidates.length > 0) {
    return t("who.oneOf", { names: namesOf(candidates) });
  }
  return textOr(`who.decision.${person.decision}`, person.decision);
}

const namesOf = (candidates) =>
  intl.formatList(candidates.slice(0, MOST_NAMES).map(({ name }) => name), { type: "disjunction" });

function Heading({ person, subject, candidates, local }) {
  if (!subject) return h("bdi", null, nameOf(person, subject, candidates));
  const name = h("bdi", null, subject.name);
  if (!local) return name;
  return [
    h(Link, { key: "name", to: stashPage("performer", local.id) }, name),
    local.name !== subject.name
      && h("span", { key: "yours", className: "stash-sense-quiet" }, " ", t("who.yours"), " ", h("bdi", null, local.name)),
  ];
}

function Face({ person, page, name }) {
  const alt = t("who.face", { name });
  const crop = person.crop
    ?? person.faces.map((face) => page.crops.get(faceKey(face))).find((each) => each !== undefined);
  if (crop === undefined && page.isKept) {
    return h(FaceCrop, {
      mode: "kept_crop",
      args: { kind: page.kind, stash_id: page.stashId, person_id: person.person_id },
      alt,
      onPicture: (picture) => page.keepCrop(person, picture),
    });
  }
  return h("span", { className: "stash-sense-face" }, h(Picture, { src: crop ?? null, alt }));
}
