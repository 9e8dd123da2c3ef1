// Everybody whom a person may be.
import { Badge, h, Link, useState } from "../host.js";
import { OutsideLink, Picture } from "../parts/media.js";
import { Problem } from "../parts/feedback.js";
import { useAction, useSidecar } from "../resources.js";
import { stashPage } from "../stash.js";
import { t } from "../texts.js";
import { Acting, ActButton } from "./acting.js";
import { countryName, Figures } from "./figures.js";
import { boxPage } from "./library.js";

/** A list that unfolds; unfolded already where nobody has decided yet. */
export function Candidates({ candidates, person, page }) {
  const [isOpen, setIsOpen] = useState(person.decision === "uncertain");
  if (candidates.length === 0) return null;
  return h(
    "details",
    {
      className: "stash-sense-who-candidates",
      open: isOpen,
      onToggle: (event) => setIsOpen(event.currentTarget.open),
    },
    h("summary", null, t("who.candidates", { count: candidates.length })),
    isOpen
      && h(
        "ul",
        null,
        candidates.map((candidate) =>
          h(Candidate, { key: candidate.universalId, candidate, person, page })
        )
      )
  );
}

function Candidate({ candidate, person, page }) {
  const local = page.locals.get(candidate.universalId);
  const isIn = local !== undefined && page.performersIn?.has(local.id);
  const isTaken = person.best_match?.universal_id === candidate.universalId;
  // Asked of the stash-box where neither the library nor the sidecar has a picture.
  const isMissing = !local && !candidate.picture && page.boxes.has(candidate.domain);
  const box = useSidecar(
    "stashbox_performer",
    { endpoint: candidate.domain, stashdb_id: candidate.boxId },
    { isWanted: isMissing && page.areLocalsKnown && page.isKept }
  );
  const more = [local?.disambiguation ?? box.data?.disambiguation, countryName(candidate.country ?? box.data?.country)];
  return h(
    "li",
    { className: "stash-sense-who-candidate" },
    h(
      "span",
      { className: "stash-sense-who-candidate-picture" },
      h(Picture, { src: local?.image_path ?? candidate.picture ?? box.data?.image })
    ),
    h(
      "div",
      { className: "stash-sense-who-candidate-text" },
      h("strong", null, h("bdi", null, candidate.name)),
      more.filter(Boolean).map((each, i) =>
        h("span", { key: i, className: "stash-sense-quiet" }, " ", h("bdi", null, each))
      ),
      isIn && [" ", h(Badge, { key: "in", variant: "success" }, t("who.isIn", { kind: page.kind }))],
      h("div", null, h(Figures, { candidate })),
      h(Ways, { candidate, local, page }),
      page.isKept && h(Said, { candidate, person, page, isTaken }),
      !isTaken && person.decision === "uncertain" && h(Acting, { candidate, person, page })
    )
  );
}

/** Links to where more is told of the candidate. */
function Ways({ candidate, local, page }) {
  const address = boxPage(candidate, page.boxes);
  return h(
    "div",
    { className: "stash-sense-who-ways" },
    local && h(Link, { to: stashPage("performer", local.id) }, t("who.yours"), " ", h("bdi", null, local.name)),
    address && h(OutsideLink, { href: address }, page.boxes.get(candidate.domain)?.name || candidate.domain)
  );
}

/** What the owner may say of the candidate. */
function Said({ candidate, person, page, isTaken }) {
  const say = useAction((verdict) =>
    page.correct(person, verdict, { universal_id: candidate.universalId })
  );
  return h(
    "div",
    null,
    h(
      "div",
      { className: "stash-sense-who-buttons" },
      !isTaken
        && h(ActButton, { icon: "faCheck", isBusy: say.isBusy, onClick: () => say.run("name"), about: candidate.name },
          t("who.thisIsThem")),
      h(ActButton, { icon: "faTimes", isBusy: say.isBusy, onClick: () => say.run("reject"), about: candidate.name },
        t("who.notThem"))
    ),
    h(Problem, { error: say.error, onClose: say.forget })
  );
}
