// Two scenes that may be one: what speaks for it, both side by side, and what becomes of them.
import { bytes, moment } from "../format.js";
import { Alert, Button, h, useState } from "../host.js";
import { Asked } from "../parts/feedback.js";
import { OutsideLink } from "../parts/media.js";
import { t } from "../texts.js";
import { Comparison, KeeperRadio, useKeeper } from "./comparison.js";
import { DeleteSceneDialog } from "./delete_scene.js";
import { findScenes, StashLink, useFound } from "./library.js";
import { PlanDialog } from "./plan_dialog.js";
import { Changes, Files, fileLine, Lost, namesOf, Said } from "./plan_words.js";
import { boxName, boxPage, items, named, sceneTitle } from "./words.js";

/** The pair of the recommendation. */
export function DuplicateScenes({ recommendation, act, drafts, onDone, canAct }) {
  const { details } = recommendation;
  const ids = [String(details.scene_a_id), String(details.scene_b_id)];
  const found = useFound(findScenes, ids);
  const [keeperId, keep] = useKeeper(drafts, ids[0]);
  const [way, setWay] = useState(null);
  const close = () => setWay(null);
  const done = (answer) => {
    close();
    onDone(answer);
  };
  return h(
    "div",
    null,
    h(Evidence, { details }),
    h(Asked, { of: found }, (scenes) => {
      const both = ids.map((id) => scenes.get(id)).filter(Boolean);
      const keeper = both.find(({ id }) => id === keeperId);
      const other = both.find(({ id }) => id !== keeperId);
      return h(
        "div",
        null,
        h(Comparison, {
          kind: "scene",
          caption: t("details.pair.caption"),
          compared: both,
          nameOf,
          pictureClass: "stash-sense-screenshot",
          rows: [
            ...(canAct ? [["keep", (scene) => h(KeeperRadio, { id: scene.id, name: nameOf(scene), keeperId, keep })]] : []),
            ...ROWS,
          ].map(([name, cell]) => [t(`details.pair.row.${name}`), cell]),
        }),
        both.length < 2 && h(Alert, { variant: "info" }, t("details.pair.missing")),
        canAct &&
          h(
            "div",
            { className: "stash-sense-decide" },
            h(Button, { disabled: !keeper || !other, onClick: () => setWay("merge") }, t("details.pair.merge")),
            h(Button, { variant: "danger", disabled: !keeper || !other, onClick: () => setWay("delete") }, t("details.pair.delete"))
          ),
        way === "merge" && h(MergeScenesDialog, { keeper, other, act, onClose: close, onDone: done }),
        way === "delete" && h(DeleteSceneDialog, { scene: other, act, onClose: close, onDone: done })
      );
    })
  );
}

function Evidence({ details }) {
  const points = Object.entries(details.signal_breakdown ?? {}).filter(([, value]) => typeof value === "number" && value !== 0);
  return h(
    "section",
    null,
    h("h4", null, t("details.pair.why")),
    h("ul", null, items(details.reasoning).map((each, i) => h("li", { key: i }, each))),
    points.length > 0 &&
      h("p", { className: "stash-sense-quiet" }, points.map(([name, value]) => `${name.replaceAll("_", " ")}: ${Math.round(value)}`).join(" · "))
  );
}

const nameOf = (scene) => sceneTitle(scene.title, scene.files[0]?.path);

const ROWS = [
  ["duration", (scene) => scene.files[0] && moment(scene.files[0].duration)],
  ["size", (scene) => bytes(scene.files.reduce((sum, { size }) => sum + size, 0))],
  ["date", (scene) => scene.date],
  ["studio", (scene) => scene.studio && h(StashLink, { kind: "studio", ...scene.studio })],
  ["performers", (scene) => linked("performer", scene.performers)],
  ["tags", (scene) => linked("tag", scene.tags)],
  ["ids", (scene) => scene.stash_ids.length > 0 && scene.stash_ids.map(({ endpoint, stash_id: id }) => h("div", { key: endpoint + id }, h(OutsideLink, { href: boxPage(endpoint, "scene", id) }, boxName(endpoint))))],
  ["files", (scene) => items(scene.files).map((file) => h("div", { key: file.id }, fileLine(file), h("div", { className: "stash-sense-quiet" }, pictureText(file))))],
];

const linked = (kind, rows) =>
  items(rows).length > 0 && items(rows).map(({ id, name }) => h("div", { key: id }, h(StashLink, { kind, id, name })));

/** "1920×1080 · h264 · 3.2 Mbit/s". */
export const pictureText = (file) =>
  [
    file.width ? `${file.width}×${file.height}` : null,
    file.video_codec,
    file.bit_rate ? t("details.files.rate", { rate: file.bit_rate / 1e6 }) : null,
  ]
    .filter(Boolean)
    .join(" · ");

function MergeScenesDialog({ keeper, other, act, onClose, onDone }) {
  return h(
    PlanDialog,
    {
      title: t("details.pair.mergeTitle"),
      mode: "rec_merge_scenes",
      args: { destination_id: keeper.id, source_ids: [other.id] },
      act,
      confirmLabel: t("details.merge.confirm"),
      describe: (plan) => h(MergePlan, { plan }),
      onClose,
      onDone,
    },
    h("p", null, t("details.pair.mergeAbout"))
  );
}

function MergePlan({ plan }) {
  const keeper = named(plan.destination?.title, `#${plan.destination?.id}`);
  const counted = [
    ["markers", items(plan.moved_markers).length],
    ["plays", plan.moved_plays],
    ["os", plan.moved_o_counts],
  ];
  const moved = counted.filter(([, count]) => count > 0).map(([name, count]) => t(`details.pair.moves.${name}`, { count }));
  const coverIsNew = plan.cover_from && plan.cover_from !== plan.destination?.id;
  return h(
    "div",
    null,
    h("p", null, t("details.pair.gone", { names: namesOf(plan.removed_scenes), keeper })),
    h(Files, { title: t("details.pair.movedFiles"), files: plan.moved_files }),
    h(Said, { title: t("details.merge.moved") }, [...moved, coverIsNew && t("details.pair.cover")]),
    h("h6", null, t("details.merge.gets", { keeper })),
    h(Changes, { changes: plan.changes }),
    h(Lost, { lost: plan.lost })
  );
}
