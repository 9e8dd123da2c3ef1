// How sure it is, in figures that explain themselves.
import { h } from "../host.js";
import { decimal, percent } from "../format.js";
import { t } from "../texts.js";

/** Confidence and distance of a candidate, each with what it means. */
export function Figures({ candidate: { confidence, distance, isCalibrated } }) {
  const meaning = t(isCalibrated ? "who.confidenceMeaning" : "who.nearnessMeaning");
  return h(
    "span",
    { className: "stash-sense-who-figures stash-sense-quiet" },
    h("span", { title: meaning }, t("who.confidence", { percent: percent(confidence) })),
    distance !== null && distance !== undefined
      && h("span", { title: t("who.distanceMeaning") }, t("who.distance", { distance: decimal(distance) }))
  );
}

/** The same for who has no pointer to rest on a figure with. */
export const FiguresExplained = () =>
  h(
    "details",
    { className: "stash-sense-who-explained stash-sense-quiet" },
    h("summary", null, t("who.figuresExplained")),
    h("p", null, t("who.confidenceMeaning")),
    h("p", null, t("who.distanceMeaning"))
  );
