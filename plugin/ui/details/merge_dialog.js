// Merging performers: what moves, what is lost and who is gone, before anything is done.
import { h } from "../host.js";
import { t } from "../texts.js";
import { PlanDialog } from "./plan_dialog.js";
import { Changes, Lost, namesOf, Said } from "./plan_words.js";
import { items, named } from "./words.js";

/** `keeper` stays, `sources` go into them; both are `{ id, name }`. */
export function MergeDialog({ keeper, sources, act, isAbout, onClose, onDone }) {
  return h(
    PlanDialog,
    {
      title: t("details.merge.title"),
      mode: "rec_merge_performers",
      args: { destination_id: keeper.id, source_ids: sources.map(({ id }) => id) },
      act,
      isAbout,
      confirmLabel: t("details.merge.confirm"),
      describe: (plan) => h(MergePlan, { plan }),
      onClose,
      onDone,
    },
    h("p", null, t("details.merge.forGood"))
  );
}

function MergePlan({ plan }) {
  const keeper = named(plan.destination?.name);
  const moved = Object.entries(plan.relinked ?? {})
    .filter(([, ids]) => items(ids).length > 0)
    .map(([kind, ids]) => t(`details.merge.moves.${kind}`, { count: ids.length, keeper }));
  const pictureFrom = items(plan.removed_performers).find(({ id }) => id === plan.image_from);
  if (pictureFrom) moved.push(t("details.merge.picture", { name: named(pictureFrom.name) }));
  return h(
    "div",
    null,
    h("p", null, t("details.merge.gone", { names: namesOf(plan.removed_performers), keeper })),
    h(Said, { title: t("details.merge.moved") }, moved.length > 0 ? moved : [t("details.merge.nothingMoves")]),
    h("h6", null, t("details.merge.gets", { keeper })),
    h(Changes, { changes: plan.changes }),
    h(Lost, { lost: plan.lost })
  );
}
