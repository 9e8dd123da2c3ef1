// How sure it is, in figures that explain themselves.
import { h } from "../host.js";
import { decimal, percent } from "../format.js";
import { intl, t } from "../texts.js";

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

/** A country by its name where `text` is a code of one. */
export const countryName = (text) =>
  /^[A-Z]{2}$/.test(text ?? "") ? intl.formatDisplayName(text, { type: "region" }) ?? text : text;
