// An update on its way: where it is, how much is left, and how it ended.
import { Alert, Button, h } from "../host.js";
import { bytes, duration, when } from "../format.js";
import { Problem, Progress } from "../parts/feedback.js";
import { useAction } from "../resources.js";
import { call } from "../api.js";
import { t, textOr } from "../texts.js";

const ENDED = ["complete", "failed", "cancelled"];

export const isInProgress = (run) => Boolean(run?.phase) && !ENDED.includes(run.phase);

export function UpdateRun({ run, onChanged }) {
  if (!run.phase) return null;
  return isInProgress(run) ? h(Going, { run, onChanged }) : h(Ended, { run });
}

function Going({ run, onChanged }) {
  const cancel = useAction(async () => {
    await call("db_update_cancel");
    await onChanged();
    return true;
  });
  return h(
    "div",
    { className: "stash-sense-run", role: "group", "aria-label": t("dashboard.run", { version: run.target_version }) },
    h("p", { "aria-live": "polite" }, t("dashboard.run", { version: run.target_version }), ": ",
      textOr(`dashboard.phase.${run.phase}`, run.phase)),
    h(Progress, {
      done: run.progress_pct,
      total: 100,
      label: t("dashboard.run", { version: run.target_version }),
      text: howFar(run),
    }),
    run.is_cancellable &&
      h(
        Button,
        { size: "sm", variant: "secondary", disabled: cancel.isBusy, onClick: () => cancel.run() },
        t("common.cancel")
      ),
    h(Problem, { error: cancel.error, onClose: cancel.forget })
  );
}

function howFar(run) {
  if (run.phase === "reloading") {
    return t("dashboard.ready", { ready: run.workers_ready, all: run.worker_count });
  }
  if (!run.total_bytes) return t("dashboard.percent", { percent: run.progress_pct });
  const done = { done: bytes(run.done_bytes), total: bytes(run.total_bytes) };
  return run.seconds_left === null
    ? t("dashboard.bytes", done)
    : t("dashboard.bytesLeft", { ...done, left: duration(run.seconds_left) });
}

function Ended({ run }) {
  const values = { version: run.target_version, when: when(run.ended_at) };
  if (run.phase === "complete") {
    return h("p", { className: "stash-sense-quiet", role: "status" }, t("dashboard.complete", values));
  }
  return h(
    Alert,
    { variant: run.phase === "failed" ? "danger" : "secondary" },
    h("p", null, t(`dashboard.ended.${run.phase}`, values)),
    run.phase === "failed" && h("p", null, run.error),
    run.is_resumable && h("p", null, t("dashboard.resumable"))
  );
}
