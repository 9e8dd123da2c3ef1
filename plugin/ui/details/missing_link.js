// A performer whose faces are those of a stash-box's performer: both, and the evidence.
import { decimal, percent } from "../format.js";
import { Button, Collapse, h, Link, useState } from "../host.js";
import { Asked } from "../parts/feedback.js";
import { OutsideLink, Picture } from "../parts/media.js";
import { useSidecar } from "../resources.js";
import { stashPage } from "../stash.js";
import { t } from "../texts.js";
import { Collision } from "./collision.js";
import { EntitySearch } from "./entity_search.js";
import { LibraryPicture, StashLink } from "./library.js";
import { PlanDialog } from "./plan_dialog.js";
import { boxDomain, boxName, boxPage, items, named } from "./words.js";

/** The candidate; linked to this performer, or to another of the library. */
export function MissingLink({ recommendation, act, onDone, canAct }) {
  const { details } = recommendation;
  const endpoint = details.endpoint ?? recommendation.endpoint;
  const own = { id: String(details.performer_id), name: details.performer_name };
  const [linked, setLinked] = useState(null);
  const [isSearching, setIsSearching] = useState(false);
  return h(
    "div",
    null,
    h("div", { className: "stash-sense-pair" }, h(Ours, { own, details }), h(Theirs, { endpoint, candidate: details.candidate ?? {} })),
    h(Evidence, { details }),
    canAct &&
      h(
        "div",
        { className: "stash-sense-decide" },
        h(Button, { onClick: () => setLinked(own) }, t("details.link.preview")),
        h(Button, { variant: "secondary", "aria-expanded": isSearching, onClick: () => setIsSearching(!isSearching) }, t("details.link.another"))
      ),
    canAct &&
      h(
        Collapse,
        { in: isSearching },
        h("div", null, isSearching && h(EntitySearch, { kind: "performer", endpoint, exceptId: own.id, first: details.candidate?.name ?? "", onChoose: setLinked }))
      ),
    linked !== null &&
      h(LinkDialog, {
        linked,
        own,
        endpoint,
        candidate: details.candidate ?? {},
        recommendation,
        act,
        onClose: () => setLinked(null),
        onDone: (answer) => {
          setLinked(null);
          onDone(answer);
        },
      })
  );
}

const Ours = ({ own, details }) =>
  h(
    "section",
    null,
    h("h4", null, t("details.match.ours")),
    h(LibraryPicture, { kind: "performer", id: own.id, name: own.name, className: "stash-sense-portrait" }),
    h("p", null, h(StashLink, { kind: "performer", ...own }), details.performer_disambiguation && ` (${details.performer_disambiguation})`)
  );

function Theirs({ endpoint, candidate }) {
  const asked = useSidecar("stashbox_performer", { endpoint: boxDomain(endpoint), stashdb_id: candidate.stash_box_id ?? "" });
  const link = h("p", null, h(OutsideLink, { href: boxPage(endpoint, "performer", candidate.stash_box_id) }, named(candidate.name)));
  return h(
    "section",
    null,
    h("h4", null, t("details.match.theirs", { box: boxName(endpoint) })),
    asked.data === undefined && link,
    h(Asked, { of: asked }, (performer) =>
      h(
        "div",
        null,
        h("span", { className: "stash-sense-portrait" }, h(Picture, { src: performer.image, alt: String(performer.name ?? "") })),
        link,
        h("p", { className: "stash-sense-quiet" }, [performer.disambiguation, performer.birthdate, performer.country].filter(Boolean).join(" · ")),
        items(performer.alias_list).length > 0 &&
          h("p", { className: "stash-sense-quiet" }, t("details.link.aliases", { aliases: h("bdi", null, performer.alias_list.slice(0, 30).join(", ")) }))
      )
    )
  );
}

function Evidence({ details }) {
  const evidence = details.evidence ?? {};
  const said = [
    t("details.link.media", { count: evidence.media_count ?? 0, alone: evidence.alone_count ?? 0 }),
    evidence.contradicting_count > 0 && t("details.link.against", { count: evidence.contradicting_count }),
    t("details.link.faces", { share: percent(evidence.certainty) }),
    t("details.link.share", { share: percent(evidence.share) }),
    t("details.link.rival", { share: percent(evidence.rival) }),
    t("details.link.support", { support: decimal(evidence.support, 1) }),
    t(details.name_agrees ? "details.link.nameAgrees" : "details.link.nameDiffers"),
  ].filter(Boolean);
  return h(
    "section",
    null,
    h("h4", null, t("details.match.why")),
    h("ul", null, said.map((each, i) => h("li", { key: i }, each))),
    ["scene", "image"].map((kind) => h(Media, { key: kind, kind, ids: items(details[`${kind}s`]) }))
  );
}

const Media = ({ kind, ids }) =>
  ids.length > 0 &&
  h(
    "p",
    { className: "stash-sense-media" },
    t(`details.link.${kind}s`),
    " ",
    ids.slice(0, 12).map((id) =>
      kind === "scene"
        ? h(Link, { key: id, to: stashPage(kind, id), title: `#${id}` }, h(LibraryPicture, { kind, id, name: t("details.link.scene", { id }) }))
        : h(Link, { key: id, to: stashPage(kind, id), className: "mr-2" }, `#${id}`)
    )
  );

function LinkDialog({ linked, own, endpoint, candidate, recommendation, act, onClose, onDone }) {
  const isOwn = linked.id === own.id;
  // Linked to somebody else, nothing is left of what was recommended.
  const actThenResolve = async (mode, asked, options) => {
    const answer = await act(mode, asked, options);
    if (isOwn || asked.dry_run) return answer;
    try {
      await act(
        "rec_resolve",
        { rec_id: recommendation.id, action: "linked-to-another", details: { performer_id: linked.id }, seen_at: recommendation.updated_at },
        { isAbout: false }
      );
    } catch (error) {
      error.message = t("details.link.linkedAlone", { name: linked.name, reason: error.message });
      throw error;
    }
    return answer;
  };
  return h(
    PlanDialog,
    {
      title: t("details.link.title"),
      mode: "rec_link_entity",
      args: { entity_type: "performer", entity_id: linked.id, endpoint, stashbox_id: candidate.stash_box_id },
      act: actThenResolve,
      isAbout: isOwn,
      isDestructive: false,
      variant: "primary",
      confirmLabel: t("details.link.confirm"),
      describe: (plan) =>
        h(
          "p",
          null,
          t(plan.already_linked ? "details.link.already" : "details.link.adds", {
            name: named(plan.entity?.name),
            id: candidate.stash_box_id,
            box: boxName(endpoint),
          })
        ),
      onClose,
      onDone,
      refused: (error, again) =>
        error.code === "action_refused" && error.facts.others
          ? h(Collision, { kind: "performer", error, act, onMerged: again })
          : null,
    },
    !isOwn && h("p", null, t("details.link.otherAbout", { own: named(own.name) }))
  );
}
