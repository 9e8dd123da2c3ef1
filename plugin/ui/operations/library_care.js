// What is kept of the library: scenes that failed, what a release changed, own performers.
import { Button, h, Link } from "../host.js";
import { count, when } from "../format.js";
import { call } from "../api.js";
import { Asked, Empty, Problem, Progress } from "../parts/feedback.js";
import { useAction, useSidecar } from "../resources.js";
import { stashPage } from "../stash.js";
import { t } from "../texts.js";

const EVERY_MS = 5000;
const SHOWN = 20;

export function LibraryCare() {
  return h("div", null, h(Parked), h(Changes), h(LocalPerformers));
}

const MediumLink = ({ kind, stashId }) =>
  h(Link, { to: stashPage(kind, stashId) }, t(`operations.${kind}`, { id: stashId }));

function Parked() {
  const parked = useSidecar("fp_parked", { limit: SHOWN });
  const again = useAction(async (ids) => {
    await call("fp_refresh", { scene_ids: ids });
    await parked.reload();
    return true;
  });
  return h(
    "section",
    null,
    h("h3", null, t("operations.parked")),
    h("p", { className: "stash-sense-quiet" }, t("operations.parkedHint")),
    h(Problem, { error: again.error, onClose: again.forget }),
    h(Asked, { of: parked }, ({ parked: rows, total }) =>
      rows.length === 0
        ? h(Empty, null, t("operations.noneParked"))
        : h(
            "ul",
            { className: "stash-sense-lines" },
            rows.map((row) =>
              h(
                "li",
                { key: `${row.kind}-${row.stash_id}` },
                h(MediumLink, { kind: row.kind, stashId: row.stash_id }),
                h("span", { className: "stash-sense-quiet" }, row.reason),
                row.kind === "scene" &&
                  h(
                    Button,
                    {
                      size: "sm",
                      variant: "secondary",
                      disabled: again.isBusy,
                      onClick: () => again.run([Number(row.stash_id)]),
                    },
                    t("operations.lookAgain")
                  )
              )
            ),
            total > rows.length && h("li", null, t("operations.more", { count: total - rows.length }))
          )
    )
  );
}

function Changes() {
  const changes = useSidecar("fp_changes", { limit: SHOWN });
  const rematch = useAction(async () => {
    await call("fp_rematch_library");
    await changes.reload();
    return true;
  });
  return h(
    "section",
    null,
    h("h3", null, t("operations.changes")),
    h("p", { className: "stash-sense-quiet" }, t("operations.changesHint")),
    h(
      Button,
      { size: "sm", variant: "secondary", disabled: rematch.isBusy, onClick: () => rematch.run() },
      t("operations.rematch")
    ),
    h(Problem, { error: rematch.error, onClose: rematch.forget }),
    h(Asked, { of: changes }, ({ changes: rows, total }) =>
      rows.length === 0
        ? h(Empty, null, t("operations.noChanges"))
        : h(
            "ul",
            { className: "stash-sense-lines" },
            rows.map((row, i) =>
              h(
                "li",
                { key: i },
                h(MediumLink, { kind: row.kind, stashId: row.stash_id }),
                h("span", null, t("operations.change", {
                  gained: row.gained.length, lost: row.lost.length, to: row.to_version,
                })),
                h("span", { className: "stash-sense-quiet" }, when(row.changed_at))
              )
            ),
            total > rows.length && h("li", null, t("operations.more", { count: total - rows.length }))
          )
    )
  );
}

function LocalPerformers() {
  const local = useSidecar("local_status", {}, { every: EVERY_MS });
  const act = useAction(async (mode) => {
    await call(mode);
    await local.reload();
    return true;
  });
  const button = (mode, label) =>
    h(Button, { size: "sm", variant: "secondary", disabled: act.isBusy, onClick: () => act.run(mode) }, label);
  return h(
    "section",
    null,
    h("h3", null, t("operations.local")),
    h("p", { className: "stash-sense-quiet" }, t("operations.localHint")),
    h(Asked, { of: local }, (data) => {
      const sync = data.last_sync;
      const isGoing = sync !== null && ["queued", "running"].includes(sync.status);
      return h(
        "div",
        null,
        h("p", null, data.enabled
          ? t("operations.localCount", {
              learnt: count(data.performers_learnt), all: count(data.performers), faces: count(data.faces),
            })
          : t("operations.localOff")),
        isGoing && h(Progress, { done: sync.done, total: sync.total, label: t("operations.local") }),
        sync?.message && h("p", { className: "stash-sense-quiet" }, sync.message),
        data.enabled && (isGoing ? button("local_stop", t("common.stop")) : button("local_sync", t("operations.learn")))
      );
    }),
    h(Problem, { error: act.error, onClose: act.forget })
  );
}
