// Runs with how far they are, or how they ended.
import { Badge, Button, h, Table } from "../host.js";
import { when } from "../format.js";
import { call } from "../api.js";
import { Empty, Problem, Progress } from "../parts/feedback.js";
import { useAction } from "../resources.js";
import { t, textOr } from "../texts.js";
import { nameOf } from "./begin.js";

const VARIANTS = {
  running: "primary", queued: "secondary", stopping: "warning",
  completed: "success", failed: "danger", cancelled: "secondary",
};
const OVER = ["completed", "failed", "cancelled"];

export function Runs({ jobs, types, onChanged, empty }) {
  const act = useAction(async (mode, id) => {
    await call(mode, { job_id: id });
    await onChanged();
    return true;
  });
  if (jobs.length === 0) return h(Empty, null, empty);
  return h(
    "div",
    null,
    h(Problem, { error: act.error, onClose: act.forget }),
    h(
      Table,
      { size: "sm", className: "stash-sense-table" },
      h(
        "thead",
        null,
        h("tr", null, ["what", "state", "progress", "when", "actions"].map((name) =>
          h("th", { key: name, scope: "col" }, t(`operations.column.${name}`))))
      ),
      h("tbody", null, jobs.map((job) => h(Run, { key: job.id, job, types, act })))
    )
  );
}

function Run({ job, types, act }) {
  const name = nameOf(types, job.type);
  const cell = (column, ...content) =>
    h("td", { "data-label": t(`operations.column.${column}`) }, ...content);
  return h(
    "tr",
    null,
    cell("what", name, job.full && h("span", { className: "stash-sense-quiet" }, " ", t("operations.isFull")),
      h("div", { className: "stash-sense-quiet" }, textOr(`operations.by.${job.triggered_by}`, job.triggered_by))),
    cell("state", h(Badge, { variant: VARIANTS[job.status] ?? "secondary" },
      textOr(`operations.state.${job.status}`, job.status))),
    cell("progress", h(HowFar, { job, name })),
    cell("when", when(job.completed_at ?? job.started_at ?? job.created_at)),
    cell("actions", h(Buttons, { job, name, act }))
  );
}

function HowFar({ job, name }) {
  if (job.status === "running") {
    return h("div", null,
      h(Progress, { done: job.items_processed, total: job.items_total, label: name }),
      job.message && h("div", { className: "stash-sense-quiet" }, job.message));
  }
  return h(
    "div",
    null,
    job.status === "queued" ? null : t("operations.done", { count: job.items_processed }),
    job.message && h("div", { className: "stash-sense-quiet" }, job.message),
    job.error_message && h("div", { className: "text-danger" }, job.error_message)
  );
}

function Buttons({ job, name, act }) {
  const button = (mode, label) =>
    h(
      Button,
      {
        size: "sm",
        variant: "secondary",
        disabled: act.isBusy,
        "aria-label": `${label}: ${name}`,
        onClick: () => act.run(mode, job.id),
      },
      label
    );
  if (!OVER.includes(job.status)) {
    return job.status === "stopping" ? null : button("queue_stop", t("common.stop"));
  }
  return job.status === "completed" ? null : button("queue_retry", t("operations.retry"));
}
