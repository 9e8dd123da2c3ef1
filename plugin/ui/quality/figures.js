// The figures of each matching mode, as a table and as plots.
import { h, Table, useState } from "../host.js";
import { decimal, percent } from "../format.js";
import { t, textOr } from "../texts.js";
import { ShareBars, ThresholdCurve } from "./plots.js";
import { ModeChoice } from "./mode_choice.js";

const COLUMNS = ["mode", "recall", "precision", "undisputed", "false", "uncertain", "error"];

export const modeName = (mode) => textOr(`quality.mode.${mode}`, mode);

export function Figures({ modes }) {
  const [chosen, setChosen] = useState(modes[0].mode);
  const mode = modes.find((each) => each.mode === chosen) ?? modes[0];
  return h(
    "section",
    null,
    h("h3", null, t("quality.figures")),
    h(
      Table,
      { size: "sm", className: "stash-sense-table" },
      h("thead", null, h("tr", null, COLUMNS.map((column) =>
        h("th", { key: column, scope: "col", title: t(`quality.about.${column}`) }, t(`quality.column.${column}`))))),
      h("tbody", null, modes.map((each) => h(Mode, { key: each.mode, mode: each })))
    ),
    h("p", { className: "stash-sense-quiet" }, t("quality.lowerBound")),
    h(ModeChoice, { id: "stash-sense-plot-mode", modes, chosen: mode.mode, onChoose: setChosen, label: t("quality.plotsOf") }),
    h("div", { className: "stash-sense-plots" },
      h(ThresholdCurve, { rows: mode.thresholds, title: t("quality.curve") }),
      h(ShareBars, {
        title: t("quality.byQuality"),
        bars: mode.by_quality.map((group) => [group.label, group.precision]),
      }),
      h(ShareBars, {
        title: t("quality.bySource"),
        bars: mode.by_source.map((group) => [textOr(`quality.source.${group.label}`, group.label), group.precision]),
      }))
  );
}

function Mode({ mode }) {
  const { strict, undisputed } = mode;
  const cell = (column, content) => h("td", { "data-label": t(`quality.column.${column}`) }, content);
  const falseNames = strict.false_names_per_scene;
  return h(
    "tr",
    null,
    h("th", { scope: "row" }, modeName(mode.mode)),
    cell("recall", h(Share, { share: strict.recall })),
    cell("precision", h(Share, { share: strict.precision })),
    cell("undisputed", h(Share, { share: undisputed.precision })),
    cell("false", falseNames === null ? "–"
      : t("quality.interval", {
          value: decimal(falseNames.value), low: decimal(falseNames.low), high: decimal(falseNames.high),
        })),
    cell("uncertain", String(strict.uncertain_count)),
    cell("error", decimal(mode.calibration_error, 3))
  );
}

function Share({ share }) {
  if (share.value === null) return "–";
  return h("span", { title: t("quality.counted", { count: share.count, total: share.total }) },
    t("quality.interval", {
      value: percent(share.value), low: percent(share.low), high: percent(share.high),
    }));
}
