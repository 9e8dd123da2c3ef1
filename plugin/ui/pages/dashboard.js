// The overview: is it well, is there a newer database, what waits, how far is the library.
import { Alert, Card, h, Link, ROUTE } from "../host.js";
import { count } from "../format.js";
import { Coverage } from "../dashboard/coverage.js";
import { UpdateCard } from "../dashboard/update_card.js";
import { WhatWaits } from "../dashboard/what_waits.js";
import { Asked } from "../parts/feedback.js";
import { useSidecar } from "../resources.js";
import { t } from "../texts.js";

const HEALTH_EVERY_MS = 15_000;

export default function DashboardPage() {
  const health = useSidecar("health", {}, { every: HEALTH_EVERY_MS });
  return h(
    "div",
    { className: "stash-sense-dashboard" },
    h("h2", { className: "sr-only" }, t("nav.dashboard")),
    h(
      Card,
      { as: "section", body: true, className: "stash-sense-wide" },
      h("h3", null, t("dashboard.status")),
      h(Asked, { of: health }, (data) => h(Health, { health: data }))
    ),
    // Without a sidecar each part would say the same once more.
    health.data && [
      h(UpdateCard, { key: "update", onChanged: health.reload }),
      h(Coverage, { key: "coverage" }),
      h(WhatWaits, { key: "waits" }),
    ]
  );
}

function Health({ health }) {
  const state = health.is_loading ? "loading" : health.database_loaded ? "ready" : "degraded";
  return h(
    "div",
    null,
    h(
      "p",
      { className: `stash-sense-state stash-sense-state-${state}` },
      t(`dashboard.state.${state}`)
    ),
    health.problem && h("p", null, t("dashboard.problem", { problem: health.problem })),
    !health.database_loaded && !health.is_loading && !health.is_unloaded &&
      h("p", null, h(Link, { to: `${ROUTE}/settings` }, t("dashboard.toModels"))),
    health.is_unloaded && h("p", { className: "stash-sense-quiet" }, t("dashboard.unloaded")),
    h(
      "dl",
      { className: "stash-sense-facts" },
      facts(health).map(([name, value]) => [
        h("dt", { key: `${name}-dt` }, t(`dashboard.fact.${name}`)),
        h("dd", { key: `${name}-dd` }, value),
      ])
    ),
    health.is_compatible === false &&
      h(
        Alert,
        { variant: "warning" },
        t("dashboard.versions", { sidecar: health.version, plugin: health.plugin_version })
      ),
    health.warnings.map((warning) => h(Alert, { key: warning, variant: "warning" }, warning))
  );
}

function facts(health) {
  return [
    ["release", health.release ?? "–"],
    ["performers", count(health.performer_count)],
    ["faces", count(health.face_count)],
    ["device", health.devices.map((device) => device.name).join(", ") || "–"],
    ["version", health.version],
  ];
}
