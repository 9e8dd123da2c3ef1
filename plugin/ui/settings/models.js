// The networks: which are here, fetching and verifying them, and the published data.
import { Badge, Button, h, Table, useEffect, useRef, useState } from "../host.js";
import { bytes } from "../format.js";
import { call } from "../api.js";
import { ConfirmDialog } from "../parts/dialogs.js";
import { Asked, Problem, Progress } from "../parts/feedback.js";
import { useAction, useSidecar } from "../resources.js";
import { t, textOr } from "../texts.js";

const DOWNLOADING_EVERY_MS = 1000;
const UNDER_WAY = ["downloading", "validating"];
const VARIANTS = { installed: "success", corrupted: "danger", not_installed: "secondary" };

export function Models() {
  const models = useSidecar("models_status");
  const downloads = useDownloads(models.reload);
  const [isAsking, setIsAsking] = useState(false);
  const act = useAction(async (mode, args) => {
    const answer = await call(mode, args);
    // It may be over before the next look.
    await Promise.all([downloads.reload(), models.reload()]);
    return answer;
  });
  const install = useAction(() => call("models_install_published"));
  const progress = downloads.data?.progress ?? {};
  return h(
    "section",
    null,
    h("h3", null, t("settings.models")),
    h("p", { className: "stash-sense-quiet" }, t("settings.modelsHint")),
    h("div", { className: "stash-sense-buttons" },
      h(Button, { variant: "secondary", size: "sm", disabled: act.isBusy, onClick: () => act.run("models_download_all") },
        t("settings.downloadAll")),
      h(Button, { variant: "secondary", size: "sm", onClick: () => setIsAsking(true) }, t("settings.install"))
    ),
    h(Problem, { error: act.error, onClose: act.forget }),
    h(Asked, { of: models }, ({ models: all }) =>
      h(
        Table,
        { size: "sm", className: "stash-sense-table" },
        h("thead", null, h("tr", null, ["model", "state", "size", "actions"].map((column) =>
          h("th", { key: column, scope: "col" }, t(`settings.model.${column}`))))),
        h("tbody", null, Object.entries(all).map(([name, model]) =>
          h(Model, { key: name, name, model, download: progress[name], act })))
      )
    ),
    isAsking &&
      h(
        ConfirmDialog,
        {
          title: t("settings.installTitle"),
          confirmLabel: t("settings.installConfirm"),
          action: install,
          onClose: () => setIsAsking(false),
        },
        h("p", null, t("settings.installBody"))
      )
  );
}

/** The downloads, asked for often while one goes on; `onEnd` when none does any more. */
function useDownloads(onEnd) {
  const [every, setEvery] = useState(0);
  const downloads = useSidecar("models_progress", {}, { every });
  const isGoing = Object.values(downloads.data?.progress ?? {}).some((each) =>
    UNDER_WAY.includes(each.status)
  );
  const wasGoing = useRef(false);
  useEffect(() => {
    setEvery(isGoing ? DOWNLOADING_EVERY_MS : 0);
    if (wasGoing.current && !isGoing) onEnd();
    wasGoing.current = isGoing;
    // Another callback is no other download.
    // eslint-disable-next-line react-hooks/exhaustive-deps
  }, [isGoing]);
  return downloads;
}

function Model({ name, model, download, act }) {
  const isGoing = download !== undefined && UNDER_WAY.includes(download.status);
  const cell = (column, ...content) =>
    h("td", { "data-label": t(`settings.model.${column}`) }, ...content);
  const button = (mode, args, label) =>
    h(
      Button,
      {
        size: "sm",
        variant: "secondary",
        disabled: act.isBusy,
        "aria-label": `${label}: ${name}`,
        onClick: () => act.run(mode, args),
      },
      label
    );
  return h(
    "tr",
    null,
    h("th", { scope: "row" }, name, h("div", { className: "stash-sense-quiet" }, model.description)),
    cell(
      "state",
      isGoing
        ? h(Download, { download, name })
        : h(Badge, { variant: VARIANTS[model.status] ?? "secondary" },
            textOr(`settings.state.${model.status}`, model.status)),
      model.explanation && h("div", { className: "stash-sense-quiet" }, model.explanation),
      download?.status === "failed" && h("div", { className: "text-danger" }, download.error)
    ),
    cell("size", bytes(model.size)),
    cell(
      "actions",
      isGoing
        ? button("models_cancel", { model: name }, t("common.cancel"))
        : model.status !== "installed" &&
            button("models_download", { model_name: name }, t("settings.download"))
    )
  );
}

/** A file is complete when it is verified, not when all of it is here. */
function Download({ download, name }) {
  const isChecked = download.status === "validating";
  return h(Progress, {
    done: isChecked ? 0 : download.downloaded_bytes,
    total: isChecked ? 0 : download.total_bytes,
    label: isChecked ? t("settings.verifying") : t("settings.downloading", { name }),
    text: isChecked
      ? t("settings.verifying")
      : t("dashboard.bytes", {
          done: bytes(download.downloaded_bytes),
          total: bytes(download.total_bytes || null),
        }),
  });
}
