// What works in the background: what goes on, how it ended, when it begins by itself.
import { Button, h, useState } from "../host.js";
import { call } from "../api.js";
import { Begin } from "../operations/begin.js";
import { LibraryCare } from "../operations/library_care.js";
import { Runs } from "../operations/runs.js";
import { Schedules } from "../operations/schedules.js";
import { ConfirmDialog } from "../parts/dialogs.js";
import { Asked } from "../parts/feedback.js";
import { useAction, useSidecar } from "../resources.js";
import { t } from "../texts.js";

const EVERY_MS = 3000;
const OVER = ["completed", "failed", "cancelled"];

export default function OperationsPage() {
  const types = useSidecar("queue_types");
  const queue = useSidecar("queue_list", {}, { every: EVERY_MS });
  return h(
    "div",
    { className: "stash-sense-operations" },
    h("h2", null, t("nav.operations")),
    h(Asked, { of: types }, ({ types: all }) =>
      h(
        "div",
        null,
        h(Begin, { types: all, jobs: queue.data?.jobs ?? [], onBegun: queue.reload }),
        h(Asked, { of: queue }, ({ jobs }) => h(Queue, { jobs, types: all, onChanged: queue.reload })),
        h(Schedules, { types: all })
      )
    ),
    h(LibraryCare)
  );
}

function Queue({ jobs, types, onChanged }) {
  const [isAsking, setIsAsking] = useState(false);
  const clear = useAction(async () => {
    const answer = await call("queue_clear_history");
    await onChanged();
    return answer;
  });
  const over = jobs.filter((job) => OVER.includes(job.status));
  const going = jobs.filter((job) => !OVER.includes(job.status));
  return h(
    "div",
    null,
    h("h3", null, t("operations.going")),
    h(Runs, { jobs: going, types, onChanged, empty: t("operations.nothingGoing") }),
    h("h3", null, t("operations.history")),
    h(Runs, { jobs: over, types, onChanged, empty: t("operations.noHistory") }),
    over.length > 0 &&
      h(
        Button,
        { size: "sm", variant: "secondary", onClick: () => setIsAsking(true) },
        t("operations.clear")
      ),
    isAsking &&
      h(
        ConfirmDialog,
        {
          title: t("operations.clearTitle"),
          confirmLabel: t("operations.clear"),
          action: clear,
          onClose: () => setIsAsking(false),
        },
        h("p", null, t("operations.clearBody"))
      )
  );
}
