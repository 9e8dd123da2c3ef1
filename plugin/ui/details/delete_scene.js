// Deleting a scene: what happens to its files is said before, with their paths and sizes.
import { bytes } from "../format.js";
import { Form, h, useState } from "../host.js";
import { t } from "../texts.js";
import { PlanDialog } from "./plan_dialog.js";
import { Files, namesOf, Said } from "./plan_words.js";
import { items, named, sceneTitle } from "./words.js";

/** Files stay on the disk unless the box is ticked, which asks for another plan. */
export function DeleteSceneDialog({ scene, act, onClose, onDone }) {
  const [deletesFiles, setDeletesFiles] = useState(false);
  const size = scene.files.reduce((sum, file) => sum + file.size, 0);
  return h(
    PlanDialog,
    {
      title: t("details.delete.title"),
      mode: "rec_delete_scene",
      args: { scene_id: scene.id, delete_file: deletesFiles },
      act,
      confirmLabel: t(deletesFiles ? "details.delete.confirmWithFiles" : "details.delete.confirm", { count: scene.files.length }),
      describe: (plan) => h(DeletionPlan, { plan }),
      onClose,
      onDone,
    },
    h("p", null, t("details.delete.about", { name: named(sceneTitle(scene.title, scene.files[0]?.path)) })),
    scene.files.length > 0 &&
      h(Form.Check, {
        type: "checkbox",
        id: "stash-sense-delete-files",
        label: t("details.delete.files", { count: scene.files.length, size: bytes(size) }),
        checked: deletesFiles,
        onChange: (event) => setDeletesFiles(event.target.checked),
      })
  );
}

function DeletionPlan({ plan }) {
  const lost = plan.lost ?? {};
  const losses = [
    items(lost.markers).length > 0 && t("details.delete.lost.markers", { count: lost.markers.length }),
    lost.play_count > 0 && t("details.delete.lost.plays", { count: lost.play_count }),
    lost.o_counter > 0 && t("details.delete.lost.os", { count: lost.o_counter }),
    items(lost.stash_ids).length > 0 && t("details.delete.lost.ids", { count: lost.stash_ids.length }),
  ];
  const freed = items(plan.files_deleted).length > 0;
  return h(
    "div",
    null,
    h(Files, { title: t("details.delete.gone", { size: bytes(plan.freed_bytes) }), files: plan.files_deleted, variant: "danger" }),
    freed && h("p", { className: "stash-sense-quiet" }, t("details.delete.trash")),
    h(Files, { title: t("details.delete.stay"), files: plan.files_kept }),
    !freed && items(plan.files_kept).length > 0 && h("p", { className: "stash-sense-quiet" }, t("details.delete.rescan")),
    h(Said, { title: t("details.delete.lostTitle"), variant: "warning" }, losses),
    items(plan.duplicates_kept).length > 0 &&
      h("p", null, t("details.delete.kept", { names: namesOf(plan.duplicates_kept) }))
  );
}
