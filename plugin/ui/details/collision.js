// Another has the name already: both are shown, and what can be done about it.
import { Button, h, useState } from "../host.js";
import { OutsideLink } from "../parts/media.js";
import { t } from "../texts.js";
import { LibraryPicture, StashLink } from "./library.js";
import { MergeDialog } from "./merge_dialog.js";
import { boxName, boxPage, items } from "./words.js";

/** `error` is a name_collision; merging is offered of performers, and done of nobody here. */
export function Collision({ kind, error, act, onLeaveOut, onMerged }) {
  const [isMerging, setIsMerging] = useState(false);
  const { entity, others } = error.facts;
  const both = [entity, ...items(others)].filter(Boolean);
  return h(
    "section",
    { className: "stash-sense-ways" },
    h("h6", null, t("details.collision.title")),
    h("ul", { className: "stash-sense-plain" }, both.map((each) => h("li", { key: each.id }, h(Card, { kind, entity: each })))),
    h(
      "div",
      { className: "stash-sense-quick" },
      onLeaveOut && h(Button, { size: "sm", variant: "secondary", onClick: onLeaveOut }, t("details.collision.leaveOut")),
      kind === "performer" &&
        entity &&
        h(Button, { size: "sm", variant: "secondary", onClick: () => setIsMerging(true) }, t("details.collision.merge"))
    ),
    kind !== "performer" && h("p", { className: "stash-sense-quiet" }, t("details.collision.byHand")),
    isMerging &&
      h(MergeDialog, {
        keeper: entity,
        sources: items(others),
        act,
        isAbout: false,
        onClose: () => setIsMerging(false),
        onDone: () => {
          setIsMerging(false);
          onMerged();
        },
      })
  );
}

const Card = ({ kind, entity }) =>
  h(
    "div",
    { className: "stash-sense-adding" },
    kind !== "tag" && h(LibraryPicture, { kind, id: entity.id, name: entity.name }),
    h(
      "div",
      null,
      h(StashLink, { kind, id: entity.id, name: entity.name }),
      entity.disambiguation && ` (${entity.disambiguation})`,
      items(entity.stash_ids).map(({ endpoint, stash_id: id }) =>
        h("div", { key: `${endpoint} ${id}` }, h(OutsideLink, { href: boxPage(endpoint, kind, id) }, boxName(endpoint)))
      )
    )
  );
