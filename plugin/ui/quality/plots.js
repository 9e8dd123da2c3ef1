// Plots, drawn as SVG of the figures; each has its numbers as text for who cannot see it.
import { h } from "../host.js";
import { decimal, percent } from "../format.js";
import { t } from "../texts.js";

const WIDTH = 320;
const HEIGHT = 200;
const LEFT = 40;
const BOTTOM = 28;
const TOP = 10;

/** Recall against wrong names a scene, threshold by threshold. */
export function ThresholdCurve({ rows, title }) {
  const points = rows
    .filter((row) => row.recall.value !== null)
    .map((row) => [row.false_names_per_scene, row.recall.value, row.threshold]);
  if (points.length < 2) return null;
  const most = Math.max(...points.map(([wrong]) => wrong)) || 1;
  const x = (wrong) => LEFT + (wrong / most) * (WIDTH - LEFT - 10);
  const y = (share) => TOP + (1 - share) * (HEIGHT - TOP - BOTTOM);
  return h(
    "figure",
    { className: "stash-sense-plot" },
    h("figcaption", null, title),
    h(
      "svg",
      { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: "img", "aria-label": title },
      h(Axis, { y }),
      h("polyline", {
        className: "stash-sense-line",
        points: points.map(([wrong, share]) => `${x(wrong)},${y(share)}`).join(" "),
      }),
      points.map(([wrong, share, threshold]) =>
        h("circle", { key: threshold, className: "stash-sense-dot", cx: x(wrong), cy: y(share), r: 3 },
          h("title", null, t("quality.point", {
            threshold: decimal(threshold), recall: percent(share), wrong: decimal(wrong),
          })))),
      h("text", { x: LEFT, y: HEIGHT - 8 }, "0"),
      h("text", { x: WIDTH - 10, y: HEIGHT - 8, textAnchor: "end" }, t("quality.wrongAxis", { most: decimal(most) }))
    )
  );
}

/** A bar for each share, with its interval. */
export function ShareBars({ bars, title }) {
  const known = bars.filter(([, share]) => share !== null && share.value !== null);
  if (known.length === 0) return null;
  const step = (WIDTH - LEFT - 10) / known.length;
  const wide = Math.min(36, step * 0.6);
  const y = (share) => TOP + (1 - share) * (HEIGHT - TOP - BOTTOM);
  return h(
    "figure",
    { className: "stash-sense-plot" },
    h("figcaption", null, title),
    h(
      "svg",
      { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: "img", "aria-label": title },
      h(Axis, { y }),
      known.map(([label, share], i) => {
        const middle = LEFT + step * (i + 0.5);
        return h(
          "g",
          { key: label },
          h("title", null, t("quality.bar", {
            label, value: percent(share.value), count: share.count, total: share.total,
          })),
          h("rect", {
            className: "stash-sense-bar",
            x: middle - wide / 2, width: wide, y: y(share.value), height: y(0) - y(share.value),
          }),
          h("line", {
            className: "stash-sense-whisker", x1: middle, x2: middle, y1: y(share.low), y2: y(share.high),
          }),
          h("text", { x: middle, y: HEIGHT - 8, textAnchor: "middle" }, label)
        );
      })
    )
  );
}

function Axis({ y }) {
  return h(
    "g",
    { className: "stash-sense-axis" },
    [0, 0.5, 1].map((share) =>
      h("g", { key: share },
        h("line", { x1: LEFT, x2: WIDTH - 10, y1: y(share), y2: y(share) }),
        h("text", { x: LEFT - 6, y: y(share) + 4, textAnchor: "end" }, percent(share))))
  );
}
