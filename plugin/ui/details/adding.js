// Somebody or something that a stash-box names: who that is here, or that they are created.
import { Form, h } from "../host.js";
import { OutsideLink } from "../parts/media.js";
import { t } from "../texts.js";
import { EntitySearch } from "./entity_search.js";
import { LibraryPicture, StashLink } from "./library.js";
import { boxName, boxPage, named } from "./words.js";

export const [UNDECIDED, MATCH, LINK, CREATE, OTHER, LEAVE] = ["", "match", "link", "create", "other", "leave"];

/** What is chosen at first: who has the id is meant; of others somebody has to say it. */
export const firstPick = (entity) => ({ pick: entity.isLinked ? MATCH : UNDECIDED });

/** Whether the choice says what is to be done. */
export const isDecided = ({ pick, other }) => pick !== UNDECIDED && (pick !== OTHER || Boolean(other));

/** Whether a choice changes something by itself, before anybody is added. */
export const changesSomething = ({ pick }) => [LINK, OTHER, CREATE].includes(pick);

/**
 * Do what was chosen of `entity`; resolves to the id in the library, null for nobody.
 *
 * `made` keeps who was created, so that a second try creates nobody twice.
 */
export async function settle(act, { kind, endpoint, entity, choice, made }) {
  const about = { isAbout: false };
  switch (choice.pick) {
    case MATCH:
      return entity.match.id;
    case LINK:
    case OTHER: {
      const { id } = choice.pick === LINK ? entity.match : choice.other;
      await act(
        "rec_link_entity",
        { entity_type: kind, entity_id: id, endpoint, stashbox_id: entity.id },
        about
      );
      return id;
    }
    case CREATE: {
      const known = `${kind} ${endpoint} ${entity.id}`;
      if (made[known] === undefined) {
        const answer = await act(`rec_create_${kind}`, { endpoint, stashbox_id: entity.id }, about);
        made[known] = answer[kind].id;
      }
      return made[known];
    }
    default:
      return null;
  }
}

/** What a choice does beside adding somebody, in words; null where that is all. */
export function settlingText({ entity, choice, endpoint }) {
  const values = { name: named(entity.name), box: boxName(endpoint) };
  if (choice.pick === CREATE) return t("details.adding.willCreate", values);
  if (choice.pick === LINK) return t("details.adding.willLink", { ...values, local: named(entity.match.name) });
  if (choice.pick === OTHER) return t("details.adding.willLink", { ...values, local: named(choice.other.name) });
  return null;
}

/**
 * A choice for `entity` of a stash-box: `{ id, name, match, isLinked }`, where `match` is
 * whom the library has of that id (`isLinked`), or of that name alone.
 */
export function EntityChoice({ kind, endpoint, entity, choice, onChoose, label, children }) {
  const { match, isLinked } = entity;
  const canCreate = !isLinked && Boolean(endpoint) && Boolean(entity.id);
  const values = { name: match?.name ?? "", box: boxName(endpoint) };
  const options = [
    !isLinked && [UNDECIDED, t("details.adding.decide")],
    match && isLinked && [MATCH, t("details.adding.match", values)],
    match && !isLinked && endpoint && [LINK, t("details.adding.link", values)],
    match && !isLinked && [MATCH, t("details.adding.match", values)],
    canCreate && [CREATE, t("details.adding.create", values)],
    canCreate && [OTHER, t("details.adding.other")],
    [LEAVE, t("details.adding.leave")],
  ].filter(Boolean);
  return h(
    "div",
    { className: "stash-sense-adding" },
    match && h(LibraryPicture, { kind, id: match.id, name: match.name }),
    h(
      "div",
      { className: "stash-sense-adding-body" },
      h(EntityLine, { kind, endpoint, entity }),
      children,
      h(
        Form.Control,
        {
          as: "select",
          size: "sm",
          value: choice.pick,
          "aria-label": label ?? t("details.adding.label", { name: entity.name }),
          onChange: (event) => onChoose({ pick: event.target.value }),
        },
        options.map(([value, text]) => h("option", { key: value, value }, text))
      ),
      choice.pick === OTHER &&
        (choice.other
          ? h("p", null, t("details.adding.chosen", { name: h(StashLink, { kind, ...choice.other }) }))
          : h(EntitySearch, {
              kind,
              endpoint,
              first: entity.name,
              onChoose: ({ id, name }) => onChoose({ pick: OTHER, other: { id, name } }),
            }))
    )
  );
}

const EntityLine = ({ kind, endpoint, entity }) =>
  h(
    "div",
    null,
    endpoint && entity.id
      ? h(OutsideLink, { href: boxPage(endpoint, kind, entity.id) }, named(entity.name))
      : named(entity.name),
    entity.match &&
      h(
        "span",
        { className: "stash-sense-quiet" },
        " ",
        t(entity.isLinked ? "details.adding.isHere" : "details.adding.sameName", {
          name: h(StashLink, { kind, id: entity.match.id, name: entity.match.name }),
        })
      ),
    entity.isAmbiguous && h("span", { className: "text-warning" }, " ", t("details.adding.ambiguous"))
  );
