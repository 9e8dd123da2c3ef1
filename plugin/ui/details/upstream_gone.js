// What was merged or deleted at a stash-box: the link leads nowhere any more.
import { Button, h, useState } from "../host.js";
import { OutsideLink } from "../parts/media.js";
import { t } from "../texts.js";
import { PlanDialog } from "./plan_dialog.js";
import { boxName, boxPage, named } from "./words.js";

/** Offers to link anew, or to take the id away. */
export function GoneUpstream({ kind, recommendation, act, onDone, canAct }) {
  const [newId, setNewId] = useState(null);
  const { details } = recommendation;
  const endpoint = details.endpoint ?? recommendation.endpoint;
  const into = details.merged_into_id;
  const box = boxName(endpoint);
  const close = () => setNewId(null);
  return h(
    "div",
    null,
    h("p", null, t(into ? "details.gone.merged" : "details.gone.deleted", { box })),
    into && h("p", null, h(OutsideLink, { href: boxPage(endpoint, kind, into) }, t("details.gone.into"))),
    canAct &&
      h(
        "div",
        { className: "stash-sense-decide" },
        into && h(Button, { onClick: () => setNewId(into) }, t("details.gone.relink")),
        h(Button, { variant: into ? "secondary" : "primary", onClick: () => setNewId("") }, t("details.gone.unlink"))
      ),
    newId !== null &&
      h(PlanDialog, {
        title: t(newId ? "details.gone.relink" : "details.gone.unlink"),
        mode: "rec_relink_entity",
        args: {
          entity_type: kind,
          entity_id: details[`${kind}_id`],
          endpoint,
          old_stashbox_id: details.stash_box_id,
          ...(newId && { new_stashbox_id: newId }),
        },
        act,
        isDestructive: false,
        variant: "primary",
        confirmLabel: t("details.upstream.write"),
        describe: (plan) =>
          h(
            "div",
            null,
            h("p", null, t("details.gone.about", { name: named(plan.entity_name) })),
            h("p", null, t("details.gone.removes", { id: plan.removes?.stash_id ?? "" })),
            plan.adds && h("p", null, t("details.gone.adds", { id: plan.adds.stash_id }))
          ),
        onClose: close,
        onDone: (answer) => {
          close();
          onDone(answer);
        },
      })
  );
}
