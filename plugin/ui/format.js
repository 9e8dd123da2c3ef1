// Figures as people read them.
import { intl, t } from "./texts.js";

/** 1.5 GB; an en dash for null. */
export function bytes(count) {
  if (count === null || count === undefined) return "–";
  const units = ["byte", "kilobyte", "megabyte", "gigabyte", "terabyte"];
  let amount = count;
  let unit = 0;
  while (amount >= 1000 && unit < units.length - 1) {
    amount /= 1000;
    unit += 1;
  }
  return intl.formatNumber(amount, {
    style: "unit",
    unit: units[unit],
    unitDisplay: "short",
    maximumFractionDigits: amount < 10 && unit > 0 ? 1 : 0,
  });
}

/** 12,345. */
export const count = (number) =>
  number === null || number === undefined ? "–" : intl.formatNumber(number);

/** 93 % of 0.93; of a share that is not 1 never "100 %", nor "0 %" of one that is not 0. */
export function percent(share) {
  if (share === null || share === undefined) return "–";
  let shown = Math.round(share * 100) / 100;
  if (shown === 1 && share < 1) shown = 0.99;
  if (shown === 0 && share > 0) shown = 0.01;
  return intl.formatNumber(shown, { style: "percent" });
}

/** 0.41: a distance, with `digits` behind the point. */
export const decimal = (number, digits = 2) =>
  number === null || number === undefined
    ? "–"
    : intl.formatNumber(number, {
        minimumFractionDigits: digits,
        maximumFractionDigits: digits,
      });

/** 1:02:03, of a moment in a video. */
export function moment(seconds) {
  const whole = Math.max(0, Math.floor(seconds));
  const two = (number) => String(number).padStart(2, "0");
  const hours = Math.floor(whole / 3600);
  const minutes = Math.floor(whole / 60) % 60;
  const rest = two(whole % 60);
  return hours > 0 ? `${hours}:${two(minutes)}:${rest}` : `${minutes}:${rest}`;
}

/** "about 2 minutes", of a time that something will take. */
export function duration(seconds) {
  if (seconds === null || seconds === undefined) return "–";
  if (seconds < 60) return t("common.seconds", { count: Math.max(1, Math.round(seconds)) });
  if (seconds < 3600) return t("common.minutes", { count: Math.round(seconds / 60) });
  return t("common.hours", { count: Math.round(seconds / 3600) });
}

/** A date with the time, in the reader's zone; an en dash for null. */
export const when = (text) =>
  text ? intl.formatDate(text, { dateStyle: "medium", timeStyle: "short" }) : "–";

/** "3 days ago"; an en dash for null. */
export function age(text) {
  if (!text) return "–";
  const seconds = (new Date(text) - Date.now()) / 1000;
  const units = [["second", 60], ["minute", 3600], ["hour", 86400], ["day", 604800], ["week", 2629800], ["month", 31557600]];
  const sizes = { second: 1, minute: 60, hour: 3600, day: 86400, week: 604800, month: 2629800, year: 31557600 };
  const unit = units.find(([, end]) => Math.abs(seconds) < end)?.[0] ?? "year";
  return intl.formatRelativeTime(Math.round(seconds / sizes[unit]), unit, { numeric: "auto" });
}
