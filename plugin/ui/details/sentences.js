// What is proposed, in a sentence, and the pictures that go with it in lists.
import { bytes } from "../format.js";
import { intl, t } from "../texts.js";
import { boxName, fieldName, items, listed, named, sceneTitle, typeName, upstreamKind } from "./words.js";

const say = (name, values) => t(`recommendations.says.${name}`, values);
const scene = (title, path) => named(sceneTitle(title, path));

function upstream(kind, { details, endpoint }) {
  const name = named(details[`${kind}_name`]);
  const box = boxName(details.endpoint ?? endpoint);
  if (details.is_gone_upstream) {
    return say(details.merged_into_id ? "merged" : "gone", { name, box });
  }
  const fields = changedFields(details);
  return say("upstream", { name, box, fields: listed(fields), count: fields.length });
}

/** What a stash-box says otherwise, by the names of the fields. */
export function changedFields(details) {
  const fields = items(details.changes).map((change) => fieldName(change.field, change.field_label));
  if (details.studio_change) fields.push(fieldName("studio"));
  for (const part of ["performer", "tag"]) {
    const lists = details[`${part}_changes`] ?? {};
    if (items(lists.added).length + items(lists.removed).length + items(lists.alias_changed).length > 0) {
      fields.push(fieldName(`${part}s`));
    }
  }
  return fields;
}

const SENTENCES = {
  duplicate_performer: ({ details, endpoint }) => {
    const people = items(details.performers);
    return say("duplicate_performer", {
      names: listed(people.map(({ name, id }) => named(name, id))),
      count: people.length,
      box: boxName(details.endpoint ?? endpoint),
    });
  },
  duplicate_scene_files: ({ details }) =>
    say("duplicate_scene_files", {
      scene: scene(details.scene_title, items(details.files)[0]?.path),
      count: items(details.files).length,
      freed: bytes(details.potential_savings),
    }),
  duplicate_scenes: ({ details }) => {
    const [one, other] = [details.scene_a_summary ?? {}, details.scene_b_summary ?? {}];
    return say("duplicate_scenes", {
      one: scene(one.title, one.path),
      other: scene(other.title, other.path),
      why: items(details.reasoning)[0] ?? "",
    });
  },
  scene_fingerprint_match: ({ details, endpoint }) =>
    say("scene_fingerprint_match", {
      scene: scene(details.scene_title, details.scene_path),
      title: named(details.stashbox_scene_title, t("details.noTitle")),
      box: boxName(details.endpoint ?? endpoint),
      matched: details.match_count ?? 0,
      total: details.total_local_fingerprints ?? 0,
    }),
  unidentified_scenes: ({ details }) => {
    const people = items(details.people);
    return say("unidentified_scenes", {
      names: listed(people.map(({ name }) => named(name))),
      count: people.length,
      scene: scene(details.scene_title, details.scene_path),
    });
  },
  missing_stash_box_link: ({ details, endpoint }) =>
    say("missing_stash_box_link", {
      name: named(details.performer_name),
      candidate: named(details.candidate?.name),
      box: boxName(details.endpoint ?? endpoint),
      count: details.evidence?.media_count ?? 0,
    }),
};

/** What the recommendation proposes, as nodes; of an unknown type what it is about. */
export function sentenceOf(recommendation) {
  const details = recommendation.details ?? {};
  const kind = upstreamKind(recommendation.type);
  if (kind !== null) return upstream(kind, { ...recommendation, details });
  const sentence = SENTENCES[recommendation.type];
  if (sentence === undefined) {
    return say("unknown", { type: typeName(recommendation.type), id: recommendation.target_id });
  }
  return sentence({ ...recommendation, details });
}

/** What the sentence names of the library: `[{ kind, id, name }]`, to be shown small. */
export function picturedIn({ type, details = {}, target_id: target }) {
  const kind = upstreamKind(type);
  if (kind !== null) {
    const id = details[`${kind}_id`] ?? target;
    return kind === "tag" ? [] : [{ kind, id, name: details[`${kind}_name`] }];
  }
  switch (type) {
    case "duplicate_performer":
      return items(details.performers).slice(0, 3).map(({ id, name }) => ({ kind: "performer", id, name }));
    case "duplicate_scenes":
      return [["a", details.scene_a_summary], ["b", details.scene_b_summary]].map(([which, summary]) => ({
        kind: "scene",
        id: details[`scene_${which}_id`],
        name: summary?.title,
      }));
    case "missing_stash_box_link":
      return [{ kind: "performer", id: details.performer_id, name: details.performer_name }];
    case "duplicate_scene_files":
    case "scene_fingerprint_match":
    case "unidentified_scenes":
      return [{ kind: "scene", id: details.scene_id ?? target, name: details.scene_title }];
    default:
      return [];
  }
}

/** How it was decided, in words. */
export function decisionOf({ status, resolution_action: action }) {
  const id = `recommendations.done.${status === "dismissed" ? "dismissed" : action}`;
  return id in intl.messages ? t(id) : t("recommendations.done.otherwise", { action: action ?? "" });
}
