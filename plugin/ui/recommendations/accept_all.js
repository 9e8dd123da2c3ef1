// Accepting every scene match of high confidence, call after call until none is left.
import { call } from "../api.js";
import { Alert, Button, h, useEffect, useRef, useState } from "../host.js";
import { Dialog } from "../parts/dialogs.js";
import { Busy, Problem, Progress } from "../parts/feedback.js";
import { useAction, useSidecar } from "../resources.js";
import { forgetWhatStashShows } from "../stash.js";
import { t } from "../texts.js";

const MODE = "rec_accept_all_fingerprint_matches";
const PAUSE_MS = 1000;
const LATE = ["sidecar_timeout"];

/** How many there are is asked first; nothing is changed before that is confirmed. */
export function AcceptAllDialog({ onClose, onDone }) {
  const dryRun = useSidecar(MODE, { dry_run: true });
  const [so, setSo] = useState(null);
  const isStopped = useRef(false);
  useEffect(() => () => {
    isStopped.current = true;
  }, []);
  const total = dryRun.data?.accepted_count ?? 0;
  const work = useAction(() => acceptAll(total, setSo, isStopped));
  const begin = async () => {
    await work.run();
    forgetWhatStashShows();
  };
  const isEnded = so !== null && !work.isBusy;
  const close = () => (so === null ? onClose() : onDone());
  return h(
    Dialog,
    {
      title: t("recommendations.accept.title"),
      isBusy: work.isBusy,
      onClose: close,
      footer: [
        work.isBusy &&
          h(Button, { key: "stop", variant: "secondary", onClick: () => { isStopped.current = true; } }, t("common.stop")),
        !work.isBusy && h(Button, { key: "close", variant: "secondary", onClick: close }, t(isEnded ? "common.close" : "common.cancel")),
        so === null && h(Button, { key: "go", disabled: total === 0, onClick: begin }, t("recommendations.accept.go", { count: total })),
      ].filter(Boolean),
    },
    so === null && dryRun.data === undefined && !dryRun.error && h(Busy),
    h(Problem, { error: dryRun.error ?? work.error }),
    so === null && dryRun.data && h("p", null, t("recommendations.accept.about", { count: total })),
    so !== null && h(Progress, { done: so.accepted + so.failed.length, total: Math.max(total, so.accepted + so.failed.length), label: t("recommendations.accept.working") }),
    isEnded &&
      h(
        Alert,
        { variant: so.failed.length > 0 ? "warning" : "success", role: "status" },
        t("recommendations.accept.done", { accepted: so.accepted, failed: so.failed.length, left: so.left })
      ),
    so?.failed.length > 0 &&
      h("ul", null, so.failed.map(({ recommendation_id: id, detail }) => h("li", { key: id }, detail)))
  );
}

/** Accept until none is left, it is stopped, or a call gets nobody further. */
async function acceptAll(total, tell, isStopped) {
  let so = { accepted: 0, failed: [], left: total };
  tell(so);
  const failedIds = new Set();
  while (!isStopped.current && so.left > 0) {
    let before = so.left;
    try {
      const answer = await call(MODE);
      const failed = answer.failed.filter(({ recommendation_id: id }) => !failedIds.has(id));
      failed.forEach(({ recommendation_id: id }) => failedIds.add(id));
      so = { accepted: so.accepted + answer.accepted_count, failed: [...so.failed, ...failed], left: answer.remaining_count };
    } catch (error) {
      if (!LATE.includes(error.code)) throw error;
      // The sidecar goes on with it: what is left is asked until it gets no fewer.
      await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
      const { accepted_count: waiting } = await call(MODE, { dry_run: true });
      so = { ...so, accepted: total - waiting, left: waiting };
      before += 1;
    }
    tell(so);
    if (so.left >= before) break;
  }
  return so;
}
