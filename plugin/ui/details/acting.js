// Acting on a recommendation: what is sent with every call, and what a refusal means.
import { call } from "../api.js";
import { forgetWhatStashShows } from "../stash.js";
import { t } from "../texts.js";
import { changedFields } from "./sentences.js";
import { items } from "./words.js";

// The recommendation is not what was looked at any more.
const NOT_AS_SHOWN = [
  "recommendation_changed", "recommendation_claimed", "recommendation_closed",
  "recommendation_not_found", "target_gone",
];
// The answer may have been lost after it was done; the recommendation tells.
const UNSURE = [
  "sidecar_timeout", "sidecar_unreachable", "sidecar_error", "sidecar_not_ours",
  "stash_unreachable", "stash_refused",
];

/**
 * A function `act(mode, args, { isAbout })` that calls for this recommendation.
 *
 * It throws what was refused, after `onStale(error, isUnsure)` where the recommendation is
 * not what was shown, or it is not known whether that was done. With `isAbout: false` the call is about something else and names none.
 */
export function actingOn(recommendation, onStale) {
  return async (mode, args = {}, { isAbout = true } = {}) => {
    const about = isAbout
      ? { recommendation_id: recommendation.id, seen_at: recommendation.updated_at }
      : {};
    try {
      const answer = await call(mode, { ...args, ...about });
      if (!args.dry_run) forgetWhatStashShows();
      return answer;
    } catch (error) {
      const isUnsure = UNSURE.includes(error.code) && !args.dry_run;
      if (isUnsure) forgetWhatStashShows();
      if (NOT_AS_SHOWN.includes(error.code) || isUnsure) onStale(error, isUnsure);
      throw error;
    }
  };
}

/** What is otherwise in `after` than in `before`, in sentences. */
export function whatIsNew(before, after) {
  const news = [];
  if (before.status !== after.status) {
    news.push(t("details.news.status", { status: t(`recommendations.status.${after.status}`) }));
  }
  if (before.updated_at === after.updated_at || after.status !== "pending") return news;
  const [old, now] = [before.details ?? {}, after.details ?? {}];
  const known = new Map(items(old.changes).map((each) => [each.field, JSON.stringify(each)]));
  const changed = items(now.changes)
    .filter((each) => known.get(each.field) !== JSON.stringify(each))
    .map(({ field, field_label: label }) => changedFields({ changes: [{ field, field_label: label }] })[0]);
  if (changed.length > 0) news.push(t("details.news.fields", { fields: changed.join(", ") }));
  const gone = [...known.keys()].filter((field) => !items(now.changes).some((each) => each.field === field));
  if (gone.length > 0) {
    const names = changedFields({ changes: gone.map((field) => ({ field })) });
    news.push(t("details.news.goneFields", { fields: names.join(", ") }));
  }
  for (const key of ["performers", "files", "people"]) {
    const names = (list) => items(list).map((each) => each.name ?? each.path);
    const more = names(now[key]).filter((name) => !names(old[key]).includes(name));
    const fewer = names(old[key]).filter((name) => !names(now[key]).includes(name));
    if (more.length > 0) news.push(t("details.news.more", { names: more.join(", ") }));
    if (fewer.length > 0) news.push(t("details.news.fewer", { names: fewer.join(", ") }));
  }
  return news.length > 0 ? news : [t("details.news.otherwise")];
}
