// Who and what a stash-box has in a scene otherwise: studio, performers and tags.
import { Form, h } from "../host.js";
import { Problem } from "../parts/feedback.js";
import { t } from "../texts.js";
import { CREATE, EntityChoice, firstPick, isDecided, LEAVE, settle, settlingText } from "./adding.js";
import { findLinks, StashLink, useFound } from "./library.js";
import { fieldName, items, named } from "./words.js";

const KINDS = ["performer", "tag"];

/**
 * Every question about the scene's parts, `{ kind, role, key, entity }`; `links` is what
 * `useSceneLinks` found. Roles: add, remove, studio, noStudio, link.
 */
export function questionsOf(details, endpoint, links) {
  const known = (kind, upstream) => {
    const match = upstream.local_match ?? null;
    const row = match && links[kind]?.get(match.id);
    const isLinked = items(row?.stash_ids).some(
      (each) => each.endpoint === endpoint && each.stash_id === upstream.id
    );
    return { id: upstream.id, name: upstream.name, as: upstream.as, match, isLinked, isAmbiguous: upstream.is_ambiguous };
  };
  const question = (role, kind, entity) => ({ kind, role, entity, key: `${role} ${kind} ${entity.id}` });
  const questions = [];
  const studio = details.studio_change;
  if (studio?.upstream) questions.push(question("studio", "studio", known("studio", studio.upstream)));
  else if (studio) questions.push(question("noStudio", "studio", studio.local ?? {}));
  for (const kind of KINDS) {
    const lists = details[`${kind}_changes`] ?? {};
    questions.push(...items(lists.added).map((each) => question("add", kind, known(kind, each))));
    questions.push(...items(lists.removed).map((each) => question("remove", kind, each)));
    questions.push(...items(lists.unlinked).map((each) => question("link", kind, known(kind, each))));
  }
  return questions;
}

/** The links of whoever the library may have of those named. */
export function useSceneLinks(details) {
  const ids = (kind) =>
    ["added", "unlinked"].flatMap((list) =>
      items(details[`${kind}_changes`]?.[list]).map((each) => each.local_match?.id).filter(Boolean)
    );
  const studioId = details.studio_change?.upstream?.local_match?.id;
  const performers = useFound(findLinks, "performer", ids("performer"));
  const tags = useFound(findLinks, "tag", ids("tag"));
  const studios = useFound(findLinks, "studio", studioId ? [studioId] : []);
  const all = [performers, tags, studios];
  return {
    links: { performer: performers.data, tag: tags.data, studio: studios.data },
    isReady: all.every(({ data }) => data !== undefined),
    error: all.find(({ error }) => error)?.error ?? null,
  };
}

/** What is chosen of a question at first. */
export function firstAnswer({ role, entity }) {
  if (role === "add" || role === "studio") return firstPick(entity);
  // What is only to get an id is in the scene already; what is taken away is asked for.
  return { pick: role === "link" ? LEAVE : "yes" };
}

/** Whether every question has an answer. */
export const allDecided = (questions, answerOf) =>
  questions.every((each) => (["add", "studio"].includes(each.role) ? isDecided(answerOf(each)) : true));

/** What is done beside the update of the scene, in words. */
export const besides = (questions, answerOf, endpoint) =>
  questions
    .map((each) => settlingText({ entity: each.entity, choice: answerOf(each), endpoint }))
    .filter(Boolean);

/**
 * Arguments of rec_update_scene. With `act` performers and others are created and linked
 * first; without it only those are among them who are here already.
 */
export async function sceneArguments(questions, answerOf, { act, endpoint, made }) {
  const args = { add_performer_ids: [], remove_performer_ids: [], add_tag_ids: [], remove_tag_ids: [] };
  for (const { kind, role, entity, key } of questions) {
    const choice = answerOf({ kind, role, entity, key });
    if (role === "remove") {
      if (choice.pick === "yes") args[`remove_${kind}_ids`].push(entity.id);
    } else if (role === "noStudio") {
      if (choice.pick === "yes") args.clear_studio = true;
    } else if (choice.pick !== LEAVE) {
      const id = act
        ? await settle(act, { kind, endpoint, entity, choice, made })
        : choice.pick === CREATE ? null : (choice.other ?? entity.match)?.id ?? null;
      if (id !== null && role === "studio") args.studio_id = id;
      else if (id !== null && role === "add") args[`add_${kind}_ids`].push(id);
    }
  }
  return args;
}

/** The questions with a choice for each. */
export function SceneParts({ questions, answerOf, answer, endpoint, error }) {
  const section = (kind) => {
    const mine = questions.filter((each) => each.kind === kind);
    return (
      mine.length > 0 &&
      h(
        "section",
        { key: kind, className: "stash-sense-parts" },
        h("h4", null, fieldName(kind === "studio" ? "studio" : `${kind}s`)),
        h("ul", { className: "stash-sense-plain" }, mine.map((each) => h("li", { key: each.key }, h(Question, { question: each, choice: answerOf(each), endpoint, onChoose: (choice) => answer(each, choice) }))))
      )
    );
  };
  return h("div", null, h(Problem, { error }), ["studio", ...KINDS].map(section));
}

function Question({ question, choice, endpoint, onChoose }) {
  const { kind, role, entity, key } = question;
  if (role === "add" || role === "studio") {
    return h(
      EntityChoice,
      { kind, endpoint, entity, choice, onChoose },
      entity.as && h("p", { className: "stash-sense-quiet" }, t("details.scene.as", { name: named(entity.as) }))
    );
  }
  const isLinking = role === "link";
  return h(Form.Check, {
    type: "checkbox",
    id: `stash-sense-part-${key.replace(/\W+/g, "-")}`,
    checked: choice.pick === "yes" || choice.pick === "link",
    onChange: (event) =>
      onChoose({ pick: isLinking ? (event.target.checked ? "link" : LEAVE) : event.target.checked ? "yes" : LEAVE }),
    label: t(`details.scene.${role}`, {
      name: h(StashLink, { kind, id: isLinking ? entity.match?.id ?? "" : entity.id ?? "", name: entity.name }),
    }),
  });
}
