// Words about recommendations that lists and details share.
import { Fragment, h } from "../host.js";
import { intl, t } from "../texts.js";

/** The types in the order in which they are listed. */
export const TYPES = [
  "duplicate_performer", "duplicate_scene_files", "duplicate_scenes",
  "upstream_performer_changes", "upstream_tag_changes", "upstream_studio_changes",
  "upstream_scene_changes", "scene_fingerprint_match", "unidentified_scenes",
  "missing_stash_box_link",
];

const UPSTREAM = /^upstream_(performer|tag|studio|scene)_changes$/;
const MOST_NAMED = 4;

/** "performer" of `upstream_performer_changes`; null of what is not about upstream. */
export const upstreamKind = (type) => UPSTREAM.exec(type)?.[1] ?? null;

/** Whether what was dismissed for now is proposed again once it is another matter. */
export const comesBack = (type) =>
  upstreamKind(type) !== null || ["unidentified_scenes", "missing_stash_box_link"].includes(type);

/** How sure it is, where that is a question: what upstream says is no guess. */
export const shownConfidence = ({ type, confidence }) =>
  upstreamKind(type) !== null || type === "duplicate_performer" ? null : confidence ?? null;

/** What people call a type. */
export const typeName = (type) => {
  const id = `recommendations.type.${type}`;
  return id in intl.messages ? t(id) : String(type).replaceAll("_", " ");
};

/** A name that others wrote: it is read in its own direction and breaks nothing. */
export const named = (text, otherwise = t("details.noName")) =>
  h("bdi", { className: "stash-sense-name" }, String(text ?? "").trim() || otherwise);

/** "A, B and C" of texts or nodes, the first few of many. */
export function listed(items) {
  const shown = items.slice(0, MOST_NAMED);
  if (items.length > MOST_NAMED) {
    shown.push(t("details.more", { count: items.length - MOST_NAMED }));
  }
  const list = intl.formatList(shown, { type: "conjunction" });
  return Array.isArray(list) ? h(Fragment, null, ...list) : list;
}

/** "stashdb.org" of an endpoint. */
export function boxName(endpoint) {
  try {
    return new URL(endpoint).host;
  } catch {
    return String(endpoint ?? "");
  }
}

/** The same without a port, as the sidecar knows stash-boxes by. */
export const boxDomain = (endpoint) => boxName(endpoint).replace(/:\d+$/, "");

/** Where a stash-box shows a performer, scene, studio or tag. */
export const boxPage = (endpoint, kind, id) =>
  `${String(endpoint).replace(/\/graphql\/?$/, "")}/${kind}s/${encodeURIComponent(id)}`;

/** What is in a list, or [] where the details are not as they should be. */
export const items = (value) => (Array.isArray(value) ? value : []);

/** The title of a scene, or else the name of its file. */
export const sceneTitle = (title, path) =>
  String(title ?? "").trim() || String(path ?? "").split(/[\\/]/).pop() || t("details.noTitle");

/** What people call a field, by our name or by Stash's. */
export function fieldName(field, otherwise) {
  const id = `details.field.${field}`;
  return id in intl.messages ? t(id) : otherwise ?? String(field).replaceAll("_", " ");
}
