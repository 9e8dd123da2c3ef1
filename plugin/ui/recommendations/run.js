// Looking for recommendations of one type: begin a run, see how far it is, stop it.
import { call } from "../api.js";
import { age } from "../format.js";
import { Button, h, useEffect, useRef, useState } from "../host.js";
import { Problem, Progress } from "../parts/feedback.js";
import { useAction, useSidecar } from "../resources.js";
import { hasText, t } from "../texts.js";

const POLL_MS = 2000;
const UNDER_WAY = ["queued", "running"];

/** The newest run of the type; `onEnded` when another one has ended than at first. */
export function RunOfType({ type, onEnded }) {
  const runs = useRuns(type);
  const run = runs.data?.[0] ?? null;
  const isUnderWay = run !== null && UNDER_WAY.includes(run.status);
  const lastEnded = useRef(undefined);
  useEffect(() => {
    if (runs.data === undefined) return;
    // It may be over before it was seen going on.
    const ended = run !== null && !isUnderWay ? run.id : null;
    if (lastEnded.current !== undefined && ended !== null && ended !== lastEnded.current) onEnded();
    lastEnded.current = ended ?? lastEnded.current ?? null;
    // eslint-disable-next-line react-hooks/exhaustive-deps -- follows what was answered
  }, [runs.data]);
  const start = useAction(async (isFull) => {
    await call("rec_run_analysis", { analysis_type: type, full: isFull });
    await runs.reload();
  });
  const stop = useAction(async () => {
    await call("queue_stop", { job_id: run.id });
    await runs.reload();
  });
  return h(
    "section",
    { className: "stash-sense-run", "aria-label": t("recommendations.run.label") },
    h(
      "div",
      { className: "stash-sense-quick" },
      isUnderWay
        ? h(Button, { size: "sm", variant: "secondary", onClick: () => stop.run(), disabled: stop.isBusy }, t("common.stop"))
        : [
            h(Button, { key: "run", size: "sm", variant: "secondary", onClick: () => start.run(false), disabled: start.isBusy }, t("recommendations.run.start")),
            h(Button, { key: "full", size: "sm", variant: "secondary", onClick: () => start.run(true), disabled: start.isBusy }, t("recommendations.run.full")),
          ],
      h("span", { className: "stash-sense-quiet", role: "status" }, run && !isUnderWay && endText(run))
    ),
    isUnderWay &&
      h(Progress, {
        done: run.items_processed,
        total: run.items_total,
        label: t(`recommendations.run.${run.status}`),
        text: run.items_total > 0 ? undefined : run.message ?? undefined,
      }),
    h(Problem, { error: start.error ?? stop.error ?? runs.error })
  );
}

/** Asked again and again only while one goes on. */
function useRuns(type) {
  const [every, setEvery] = useState(0);
  const runs = useSidecar("rec_analysis_runs", { analysis_type: type, limit: 1 }, { every });
  useEffect(() => setEvery(UNDER_WAY.includes(runs.data?.[0]?.status) ? POLL_MS : 0), [runs.data]);
  return runs;
}

function endText(run) {
  const id = `recommendations.run.${run.status}`;
  const text = hasText(id) ? t(id, { age: age(run.completed_at), found: run.items_found, created: run.recommendations_created }) : run.status;
  return [text, run.error_message ?? run.message].filter(Boolean).join(" ");
}
