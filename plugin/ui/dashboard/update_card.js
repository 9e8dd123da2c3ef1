// The database: which release is served, a newer one, the way there and the way back.
import { Badge, Button, Card, h, useEffect, useRef, useState } from "../host.js";
import { bytes, count, when } from "../format.js";
import { Asked, Problem } from "../parts/feedback.js";
import { useSidecar } from "../resources.js";
import { t } from "../texts.js";
import { ActivateDialog, UpdateDialog } from "./update_dialogs.js";
import { isInProgress, UpdateRun } from "./update_run.js";

const IDLE_EVERY_MS = 15_000;
const RUNNING_EVERY_MS = 1000;

export function UpdateCard({ onChanged }) {
  const check = useSidecar("db_check_update");
  const releases = useSidecar("releases_list");
  const run = useRun(() => {
    check.reload();
    releases.reload();
    onChanged();
  });
  const [open, setOpen] = useState(null);
  const begun = () => {
    setOpen(null);
    run.reload();
  };
  const leave = () => {
    setOpen(null);
    // A release that the dialog was refused may have gone from this list.
    releases.reload();
  };
  return h(
    Card,
    { as: "section", body: true },
    h("h3", null, t("dashboard.database")),
    h(Asked, { of: check }, (data) =>
      h(Offer, { check: data, isBusy: isInProgress(run.data), onUpdate: () => setOpen("update") })
    ),
    run.data && h(UpdateRun, { run: run.data, onChanged: run.reload }),
    h(Problem, { error: run.error, onRetry: run.reload }),
    releases.data &&
      h(Former, {
        releases: releases.data.releases,
        isBusy: isInProgress(run.data),
        onActivate: (release) => setOpen(release),
      }),
    open === "update" &&
      h(UpdateDialog, { check: check.data, onClose: () => setOpen(null), onDone: begun }),
    open !== null &&
      open !== "update" &&
      h(ActivateDialog, { release: open, onClose: leave, onDone: begun })
  );
}

/** The latest run, asked for often while it goes on; `onEnd` when another has ended. */
function useRun(onEnd) {
  const [every, setEvery] = useState(IDLE_EVERY_MS);
  const run = useSidecar("db_update_status", {}, { every });
  const seen = useRef(null);
  const isKnown = run.data !== undefined;
  const isRunning = isInProgress(run.data);
  const id = run.data?.job_id;
  useEffect(() => {
    if (!isKnown) return;
    setEvery(isRunning ? RUNNING_EVERY_MS : IDLE_EVERY_MS);
    const before = seen.current;
    seen.current = { id, isRunning };
    // One may be over before it was seen going on.
    if (before !== null && !isRunning && (before.isRunning || before.id !== id)) onEnd();
    // The callback is another one at each showing; what counts is the run.
    // eslint-disable-next-line react-hooks/exhaustive-deps
  }, [isKnown, id, isRunning]);
  return run;
}

function Offer({ check, isBusy, onUpdate }) {
  return h(
    "div",
    null,
    h("p", null, t("dashboard.serves", { version: check.current_version ?? "–" })),
    check.update_available
      ? h(
          "p",
          null,
          h(
            Button,
            { variant: "success", onClick: onUpdate, disabled: isBusy, className: "stash-sense-update" },
            t("dashboard.update", { version: check.latest_version }),
            " ",
            check.download_size_mb !== null &&
              h(Badge, { variant: "light" }, bytes(check.download_size_mb * 1e6))
          )
        )
      : h("p", { className: "stash-sense-quiet" },
          check.latest_version ? t("dashboard.newest") : t("dashboard.noFeed")),
    check.error && h("p", { className: "stash-sense-quiet" }, t("dashboard.feedError", { error: check.error })),
    h("p", { className: "stash-sense-quiet" },
      check.checked_at
        ? t("dashboard.checked", { when: when(check.checked_at) })
        : t("dashboard.neverChecked"),
      check.next_check_at && ". ",
      check.next_check_at && t("dashboard.nextCheck", { when: when(check.next_check_at) }))
  );
}

/** Releases whose files are here and that may be served again. */
function Former({ releases, isBusy, onActivate }) {
  const former = releases.filter((release) => ["retired", "staged"].includes(release.status));
  if (former.length === 0) return null;
  return h(
    "details",
    { className: "stash-sense-former" },
    h("summary", null, t("dashboard.former", { count: former.length })),
    h(
      "ul",
      null,
      former.map((release) =>
        h(
          "li",
          { key: release.version },
          h("span", null, t("dashboard.formerOne", {
            version: release.version,
            performers: count(release.performer_count),
          })),
          h(
            Button,
            { size: "sm", variant: "secondary", disabled: isBusy, onClick: () => onActivate(release) },
            t("dashboard.activate")
          )
        )
      )
    )
  );
}
