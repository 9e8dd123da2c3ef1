// What is done of several recommendations, one by one: prepared, summed up, and done.
import { call } from "../api.js";
import { UpdatePlan } from "../details/plan_words.js";
import { fieldsOf, firstChoice } from "../details/upstream_choices.js";
import { firstAnswer, questionsOf, sceneArguments } from "../details/upstream_scene.js";
import { findLinks } from "../details/library.js";
import { items, upstreamKind } from "../details/words.js";
import { h } from "../host.js";
import { forgetWhatStashShows } from "../stash.js";
import { t } from "../texts.js";

/** Somebody has to look at it: what is to be done is not sure. */
class NeedsALook extends Error {
  code = "needs_a_look";
}

// What is refused because somebody has to choose.
const TO_BE_CHOSEN = ["name_collision", "action_refused"];

/** Takes dismissals back. */
export const restoring = {
  name: "restore",
  variant: "primary",
  doOne: (row) => call("rec_restore", { rec_id: row.id }),
};

/** Writes what the stash-box says otherwise, and of lists adds what they lack; leaves alone what is not sure. */
export const takingUpstream = {
  name: "takeTheirs",
  variant: "primary",
  prepare: async (row) => {
    const args = await upstreamArguments(row);
    const { plan } = await sent(row, { ...args, dry_run: true });
    return { args, shown: h(UpdatePlan, { plan }) };
  },
  doOne: async (row, { args }) => {
    await sent(row, args);
    forgetWhatStashShows();
  },
};

async function sent(row, args) {
  try {
    return await call(`rec_update_${upstreamKind(row.type)}`, {
      ...args,
      recommendation_id: row.id,
      seen_at: row.updated_at,
    });
  } catch (error) {
    if (TO_BE_CHOSEN.includes(error.code)) throw new NeedsALook(error.message);
    throw error;
  }
}

/** What writes what is chosen at first; throws NeedsALook where somebody has to choose. */
async function upstreamArguments({ type, target_id: target, details, endpoint }) {
  const kind = upstreamKind(type);
  const box = details.endpoint ?? endpoint;
  if (details.is_gone_upstream) throw new NeedsALook(t("recommendations.look.gone"));
  const changes = items(details.changes);
  if (changes.some((change) => change.is_conflict)) throw new NeedsALook(t("recommendations.look.conflict"));
  const args = {
    [`${kind}_id`]: details[`${kind}_id`] ?? target,
    fields: fieldsOf(changes, firstChoice),
  };
  if (kind === "studio") return { ...args, endpoint: box };
  if (kind !== "scene") return args;
  const questions = questionsOf(details, box, await linksOf(details));
  const isOpen = ({ role, entity }) => ["add", "studio"].includes(role) && !entity.isLinked;
  if (questions.some(isOpen)) {
    throw new NeedsALook(t("recommendations.look.people", { count: questions.filter(isOpen).length }));
  }
  if (questions.some(({ role }) => ["remove", "noStudio"].includes(role))) {
    throw new NeedsALook(t("recommendations.look.removes"));
  }
  return { ...args, ...(await sceneArguments(questions, firstAnswer, { act: null, endpoint: box })) };
}

async function linksOf(details) {
  const ids = (kind) =>
    items(details[`${kind}_changes`]?.added).map((each) => each.local_match?.id).filter(Boolean);
  const studioId = details.studio_change?.upstream?.local_match?.id;
  return {
    performer: await findLinks("performer", ids("performer")),
    tag: await findLinks("tag", ids("tag")),
    studio: await findLinks("studio", studioId ? [studioId] : []),
  };
}
