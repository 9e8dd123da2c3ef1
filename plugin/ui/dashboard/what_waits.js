// How much waits for a decision, by type, and the analyses that look for more.
import { Badge, Button, Card, h, Link, ROUTE } from "../host.js";
import { count } from "../format.js";
import { Asked, Problem } from "../parts/feedback.js";
import { useAction, useSidecar } from "../resources.js";
import { call } from "../api.js";
import { t, textOr } from "../texts.js";

const COUNTS_EVERY_MS = 10_000;
const WORKING = ["queued", "running"];

export function WhatWaits() {
  const types = useSidecar("rec_analysis_types");
  const counts = useSidecar("rec_counts", {}, { every: COUNTS_EVERY_MS });
  const runs = useSidecar("rec_analysis_runs", { limit: 50 }, { every: COUNTS_EVERY_MS });
  const begin = useAction(async (type) => {
    await call("rec_run_analysis", { analysis_type: type });
    await runs.reload();
    return true;
  });
  const atWork = new Set(
    (runs.data ?? []).filter((run) => WORKING.includes(run.status)).map((run) => run.type)
  );
  return h(
    Card,
    { as: "section", body: true, className: "stash-sense-wide" },
    h("h3", null, t("dashboard.waits")),
    h(Problem, { error: begin.error, onClose: begin.forget }),
    h(Asked, { of: types }, ({ types: all }) =>
      h(
        "ul",
        { className: "stash-sense-types" },
        all.map((type) =>
          h(Type, {
            key: type.type,
            type,
            pending: counts.data?.counts[type.type]?.pending ?? (counts.data ? 0 : null),
            isAtWork: atWork.has(type.type),
            begin,
          })
        )
      )
    )
  );
}

function Type({ type, pending, isAtWork, begin }) {
  const name = textOr(`recommendations.type.${type.type}`, type.display_name);
  return h(
    "li",
    null,
    h(
      Link,
      { to: `${ROUTE}/recommendations?type=${encodeURIComponent(type.type)}` },
      h("span", null, name),
      h(Badge, { variant: pending ? "primary" : "secondary" }, count(pending))
    ),
    h("p", { className: "stash-sense-quiet" }, type.description),
    h(
      Button,
      {
        size: "sm",
        variant: "secondary",
        disabled: isAtWork || begin.isBusy,
        "aria-label": t("dashboard.lookFor", { name }),
        onClick: () => begin.run(type.type),
      },
      isAtWork ? t("dashboard.looking") : t("dashboard.look")
    )
  );
}
