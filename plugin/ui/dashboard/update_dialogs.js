// What is asked before another release is served.
import { h } from "../host.js";
import { bytes, count, when } from "../format.js";
import { ConfirmDialog } from "../parts/dialogs.js";
import { useAction } from "../resources.js";
import { call } from "../api.js";
import { t } from "../texts.js";

/** Asks whether the newest release is to be fetched and served; tells how large it is. */
export function UpdateDialog({ check, onClose, onDone }) {
  const action = useAction(() => call("db_update", { version: check.latest_version }));
  const size = check.download_size_mb === null ? null : bytes(check.download_size_mb * 1e6);
  return h(
    ConfirmDialog,
    {
      title: t("dashboard.updateTitle", { version: check.latest_version }),
      confirmLabel: t("dashboard.updateConfirm"),
      action,
      onClose,
      onDone,
    },
    h("p", null, size === null ? t("dashboard.updateBody") : t("dashboard.updateBodySize", { size })),
    check.published_at && h("p", { className: "stash-sense-quiet" },
      t("dashboard.published", { when: when(check.published_at) })),
    check.release_notes && [
      h("h4", { key: "title" }, check.release_name ?? t("dashboard.notes")),
      h("div", { key: "notes", className: "stash-sense-notes" }, check.release_notes),
    ]
  );
}

/** Asks whether an installed release is to be served in place of the active one. */
export function ActivateDialog({ release, onClose, onDone }) {
  const action = useAction(() => call("release_activate", { version: release.version }));
  return h(
    ConfirmDialog,
    {
      title: t("dashboard.activateTitle", { version: release.version }),
      confirmLabel: t("dashboard.activate"),
      action,
      onClose,
      onDone,
    },
    h("p", null, t("dashboard.activateBody", {
      performers: count(release.performer_count),
      faces: count(release.face_count),
    }))
  );
}
