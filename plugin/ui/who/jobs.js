// Identifications that go on at the sidecar while nobody looks: begun, found again, ended.
import { call } from "../api.js";
import { useEffect, useRef, useState } from "../host.js";
import { useAction, useIsShown, useSidecar } from "../resources.js";

// Often enough to see people appear; each look is a process on Stash's machine.
const POLL_MILLISECONDS = 1500;
const ENDED = new Set(["complete", "failed", "cancelled", "interrupted"]);

/**
 * The identification of a scene, image or gallery: `{ job, ended, begin, cancel, error }`.
 *
 * `job` is what is known of one that is under way, null without one; `ended` how the last
 * one of this visit ended. One that is under way is found again after a way through other
 * pages: the browser's tab remembers it. What `onEnded` makes of one that ends is waited
 * for: until then it is shown as it was last.
 */
export function useIdentification(kind, stashId, onEnded) {
  const [jobId, setJobId] = useState(() => recall(kind, stashId));
  const [ended, setEnded] = useState(null);
  const polled = useSidecar(
    "identify_job",
    { job_id: jobId, include_crops: true },
    { every: POLL_MILLISECONDS, isWanted: jobId !== null }
  );
  const ending = useRef(null);
  const isShown = useIsShown();
  const end = async (job) => {
    if (ending.current === jobId) return;
    ending.current = jobId;
    remember(kind, stashId, null);
    await onEnded(job);
    if (!isShown.current) return;
    setEnded(job);
    setJobId(null);
  };
  useEffect(() => {
    const { data, error } = polled;
    if (jobId === null) return;
    if (data?.job_id === jobId && ENDED.has(data.state)) end(data);
    // The sidecar keeps the latest jobs only.
    else if (error?.status === 404) end({ state: "interrupted", code: error.code, error: null });
    // eslint-disable-next-line react-hooks/exhaustive-deps -- follows what was answered
  }, [polled.data, polled.error]);

  const begin = useAction(async () => {
    const begun = await call(`identify_${kind}`, { [`${kind}_id`]: stashId });
    remember(kind, stashId, begun.job_id);
    setEnded(null);
    setJobId(begun.job_id);
    return begun;
  });
  const cancel = useAction(async () => {
    const told = await call("identify_job_cancel", { job_id: jobId });
    await polled.reload();
    return told;
  });
  return {
    job: jobId === null ? null : polled.data ?? { state: "queued", persons: [] },
    error: jobId === null ? null : polled.error,
    ended,
    begin,
    cancel,
  };
}

const nameOf = (kind, stashId) => `stash-sense-job:${kind}:${stashId}`;
// Where the browser keeps nothing for this page, as long as the page lives.
const remembered = new Map();

function recall(kind, stashId) {
  const name = nameOf(kind, stashId);
  try {
    return sessionStorage.getItem(name) ?? remembered.get(name) ?? null;
  } catch {
    return remembered.get(name) ?? null;
  }
}

function remember(kind, stashId, jobId) {
  const name = nameOf(kind, stashId);
  if (jobId === null) remembered.delete(name);
  else remembered.set(name, jobId);
  try {
    if (jobId === null) sessionStorage.removeItem(name);
    else sessionStorage.setItem(name, jobId);
  } catch {
    // Told above.
  }
}
