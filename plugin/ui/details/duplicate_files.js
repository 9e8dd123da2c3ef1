// A scene's files: which one is kept, and which are deleted from the disk.
import { bytes, decimal, moment } from "../format.js";
import { Alert, Badge, Button, Form, h, Table, useState } from "../host.js";
import { Asked } from "../parts/feedback.js";
import { t } from "../texts.js";
import { KeeperRadio, useKeeper, useLeftOut } from "./comparison.js";
import { pictureText } from "./duplicate_scenes.js";
import { findScenes, LibraryPicture, StashLink, useFound } from "./library.js";
import { PlanDialog } from "./plan_dialog.js";
import { Files } from "./plan_words.js";
import { items, named, sceneTitle } from "./words.js";

/** The scene's files as they are now, with what the analysis thought of each. */
export function DuplicateFiles({ recommendation, act, drafts, onDone, canAct }) {
  const { details, target_id: sceneId } = recommendation;
  const found = useFound(findScenes, [String(sceneId)]);
  const [keeperId, keep] = useKeeper(drafts, String(details.suggested_keeper_id ?? ""));
  const [spared, spare] = useLeftOut(drafts);
  const [isShown, setIsShown] = useState(false);
  return h(
    "div",
    null,
    items(details.warnings).map((each, i) => h(Alert, { key: i, variant: "warning" }, each)),
    h(Asked, { of: found }, (scenes) => {
      const scene = scenes.get(String(sceneId));
      if (scene === undefined) return h(Alert, { variant: "info" }, t("details.files.gone"));
      const deleted = scene.files.filter(({ id }) => id !== keeperId && !spared.has(id));
      const hasKeeper = scene.files.some(({ id }) => id === keeperId);
      return h(
        "div",
        null,
        h(
          "div",
          { className: "stash-sense-about" },
          h(LibraryPicture, { kind: "scene", id: scene.id, name: scene.title, className: "stash-sense-screenshot" }),
          h("p", null, h(StashLink, { kind: "scene", id: scene.id, name: sceneTitle(scene.title, scene.files[0]?.path) }))
        ),
        h(FileTable, { scene, details, keeperId, keep, spared, spare, canAct }),
        canAct &&
          h(
            "div",
            { className: "stash-sense-decide" },
            h(
              Button,
              { variant: "danger", disabled: !hasKeeper || deleted.length === 0, onClick: () => setIsShown(true) },
              t("details.files.preview", { count: deleted.length })
            )
          ),
        isShown &&
          h(DeleteFilesDialog, {
            scene,
            keeperId,
            deleted,
            act,
            onClose: () => setIsShown(false),
            onDone: (answer) => {
              setIsShown(false);
              onDone(answer);
            },
          })
      );
    })
  );
}

function FileTable({ scene, details, keeperId, keep, spared, spare, canAct }) {
  const told = new Map(items(details.files).map((file) => [String(file.id), file]));
  const columns = ["path", "size", "duration", "picture", "quality", ...(canAct ? ["what"] : [])];
  return h(
    Table,
    { size: "sm", className: "stash-sense-changes" },
    h("caption", { className: "sr-only" }, t("details.files.caption")),
    h("thead", null, h("tr", null, columns.map((each) => h("th", { key: each, scope: "col" }, t(`details.files.${each}`))))),
    h(
      "tbody",
      null,
      scene.files.map((file, i) => {
        const cell = (name, ...shown) => h("td", { "data-label": t(`details.files.${name}`) }, ...shown);
        const quality = told.get(file.id)?.quality_score;
        return h(
          "tr",
          { key: file.id },
          h(
            "th",
            { scope: "row" },
            h("bdi", { className: "stash-sense-path" }, file.path),
            i === 0 && h(Badge, { variant: "secondary", className: "ml-1" }, t("details.files.primary")),
            file.id === String(details.suggested_keeper_id) && h(Badge, { variant: "success", className: "ml-1" }, t("details.files.best"))
          ),
          cell("size", bytes(file.size)),
          cell("duration", moment(file.duration)),
          cell("picture", pictureText(file)),
          cell("quality", quality === undefined ? "–" : decimal(quality, 0)),
          canAct && cell("what", h(FileChoice, { file, keeperId, keep, spared, spare }))
        );
      })
    )
  );
}

function FileChoice({ file, keeperId, keep, spared, spare }) {
  return h(
    "div",
    null,
    h(KeeperRadio, { id: file.id, name: file.path, keeperId, keep }),
    file.id !== keeperId &&
      h(Form.Check, {
        type: "checkbox",
        id: `stash-sense-delete-${file.id}`,
        label: t("details.files.delete"),
        "aria-label": t("details.files.deleteLabel", { path: file.path }),
        checked: !spared.has(file.id),
        onChange: () => spare(file.id),
      })
  );
}

function DeleteFilesDialog({ scene, keeperId, deleted, act, onClose, onDone }) {
  return h(
    PlanDialog,
    {
      title: t("details.files.title"),
      mode: "rec_delete_files",
      args: {
        scene_id: scene.id,
        keep_file_id: keeperId,
        file_ids_to_delete: deleted.map(({ id }) => id),
        all_file_ids: scene.files.map(({ id }) => id),
      },
      act,
      confirmLabel: t("details.files.confirm", { count: deleted.length }),
      describe: (plan) =>
        h(
          "div",
          null,
          h(Files, { title: t("details.delete.gone", { size: bytes(plan.freed_bytes) }), files: plan.files_deleted, variant: "danger" }),
          h("p", { className: "stash-sense-quiet" }, t("details.delete.trash")),
          h(Files, { title: t("details.delete.stay"), files: plan.files_kept }),
          plan.changes_primary_file &&
            h("p", null, t("details.files.newPrimary", { path: h("bdi", null, plan.primary_file?.path) }))
        ),
      onClose,
      onDone,
    },
    h("p", null, t("details.files.about", { name: named(sceneTitle(scene.title, scene.files[0]?.path)) }))
  );
}
