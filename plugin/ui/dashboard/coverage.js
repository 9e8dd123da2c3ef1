// How much of the library has been looked at, and having the rest looked at.
import { Apollo, apolloClient, Button, Card, h, Link, ROUTE, useCallback, useState } from "../host.js";
import { count, percent } from "../format.js";
import { Asked, Problem, Progress } from "../parts/feedback.js";
import { useAction, useRepeatedly, useSidecar } from "../resources.js";
import { call } from "../api.js";
import { t } from "../texts.js";

const EVERY_MS = 5000;
const SCENES = Apollo.gql`
  query StashSenseSceneCounts {
    all: findScenes(filter: { per_page: 1 }) {
      count
    }
    named: findScenes(
      filter: { per_page: 1 }
      scene_filter: { performer_count: { value: 0, modifier: GREATER_THAN } }
    ) {
      count
    }
  }
`;

export function Coverage() {
  const status = useSidecar("fp_status", {}, { every: EVERY_MS });
  const unknown = useSidecar("unknown_list", { limit: 1 });
  const scenes = useSceneCounts();
  const change = useAction(async (mode) => {
    await call(mode);
    await status.reload();
    return true;
  });
  return h(
    Card,
    { as: "section", body: true },
    h("h3", null, t("dashboard.coverage")),
    h(Asked, { of: status }, (data) =>
      h(
        "div",
        null,
        h(Shares, { done: data.complete_fingerprints, parked: data.parked_fingerprints, scenes }),
        data.generation_running
          ? h(Running, { progress: data.generation_progress, change })
          : h(
              Button,
              { variant: "secondary", disabled: change.isBusy, onClick: () => change.run("fp_generate") },
              t("dashboard.identifyRest")
            ),
        h(Problem, { error: change.error, onClose: change.forget })
      )
    ),
    unknown.data &&
      unknown.data.total > 0 &&
      h(
        "p",
        null,
        h(Link, { to: `${ROUTE}/people` }, t("dashboard.unknown", { count: unknown.data.total }))
      )
  );
}

function Shares({ done, parked, scenes }) {
  const { all, named } = scenes;
  return h(
    "div",
    null,
    h(Progress, {
      done,
      total: all ?? 0,
      label: t("dashboard.lookedAt"),
      text:
        all === null
          ? t("dashboard.lookedAtSome", { done: count(done) })
          : t("dashboard.lookedAtOf", {
              done: count(done), all: count(all), share: percent(all ? Math.min(1, done / all) : 0),
            }),
    }),
    all !== null && h("p", { className: "stash-sense-quiet" },
      t("dashboard.named", { named: count(named), all: count(all) })),
    parked > 0 &&
      h("p", null, h(Link, { to: `${ROUTE}/operations` }, t("dashboard.parked", { count: parked })))
  );
}

function Running({ progress, change }) {
  return h(
    "div",
    { "aria-live": "polite" },
    h(Progress, {
      done: progress?.processed_scenes ?? 0,
      total: progress?.total_scenes ?? 0,
      label: t("dashboard.identifying"),
    }),
    progress?.message && h("p", { className: "stash-sense-quiet" }, progress.message),
    h(
      Button,
      { variant: "secondary", size: "sm", disabled: change.isBusy, onClick: () => change.run("fp_stop") },
      t("common.stop")
    )
  );
}

/** How many scenes Stash has, and how many of them with performers; null until known. */
function useSceneCounts() {
  const [counts, setCounts] = useState({ all: null, named: null });
  const ask = useCallback(async () => {
    try {
      const { data } = await apolloClient().query({ query: SCENES, fetchPolicy: "no-cache" });
      setCounts({ all: data.all.count, named: data.named.count });
    } catch (error) {
      console.warn("Stash Sense:", error.message);
    }
  }, []);
  useRepeatedly(ask, { every: 0 });
  return counts;
}
