// Plans of dry runs in words: what is changed, what moves, what is lost, what is deleted.
import { bytes, moment } from "../format.js";
import { h, Table } from "../host.js";
import { t } from "../texts.js";
import { fieldName, items, listed, named } from "./words.js";

const MOST_SHOWN = 200;

/** A value as people read it: lists with commas, what is empty as such. */
export function valueText(value) {
  if (value === null || value === undefined || value === "") return t("details.empty");
  if (Array.isArray(value)) {
    return value.length === 0 ? t("details.empty") : value.map((each) => valueText(each)).join(", ");
  }
  if (value === true || value === false) return t(value ? "common.yes" : "common.no");
  if (typeof value === "object") {
    return value.name ?? value.stash_id ?? Object.entries(value).map(([key, each]) => `${key}: ${valueText(each)}`).join(", ");
  }
  return String(value);
}

/** What of lists joins and goes, rather than all of both; else before and after. */
function changeOf({ before, after }) {
  if (!Array.isArray(before) && !Array.isArray(after)) {
    return [valueText(before), valueText(after)];
  }
  const key = (each) => JSON.stringify(each);
  const [old, now] = [items(before), items(after)];
  const [had, has] = [new Set(old.map(key)), new Set(now.map(key))];
  const gone = old.filter((each) => !has.has(key(each)));
  const more = now.filter((each) => !had.has(key(each)));
  const said = (id, list) => list.length > 0 && t(id, { values: list.slice(0, MOST_SHOWN).map(valueText).join(", ") });
  return [
    t("details.plan.entries", { count: old.length }),
    [said("details.plan.adds", more), said("details.plan.removes", gone)].filter(Boolean).join("; ")
      || t("details.plan.order"),
  ];
}

/** A table of `changes: { field: { before, after } }`, or that there are none. */
export function Changes({ changes, none = t("details.plan.nothing") }) {
  const rows = Object.entries(changes ?? {});
  if (rows.length === 0) return h("p", null, none);
  return h(
    Table,
    { size: "sm", className: "stash-sense-changes" },
    h("caption", { className: "sr-only" }, t("details.plan.caption")),
    h(
      "thead",
      null,
      h("tr", null, ["field", "before", "after"].map((each) => h("th", { key: each, scope: "col" }, t(`details.plan.${each}`))))
    ),
    h(
      "tbody",
      null,
      rows.map(([field, change]) => {
        const [before, after] = changeOf(change);
        return h(
          "tr",
          { key: field },
          h("th", { scope: "row" }, fieldName(field)),
          h("td", { "data-label": t("details.plan.before") }, h("bdi", null, before)),
          h("td", { "data-label": t("details.plan.after") }, h("bdi", null, after))
        );
      })
    )
  );
}

/** A list with a heading; nothing where it is empty. */
export function Said({ title, children, variant }) {
  const shown = items(children).filter(Boolean);
  if (shown.length === 0) return null;
  return h(
    "section",
    { className: variant ? `stash-sense-said text-${variant}` : "stash-sense-said" },
    h("h6", null, title),
    h("ul", null, shown.slice(0, MOST_SHOWN).map((each, i) => h("li", { key: i }, each))),
    shown.length > MOST_SHOWN && h("p", null, t("details.more", { count: shown.length - MOST_SHOWN }))
  );
}

/** Files with their paths, sizes and lengths, as a list under a heading. */
export const Files = ({ title, files, variant }) =>
  h(Said, { title, variant }, items(files).map((file) => fileLine(file)));

export const fileLine = (file) =>
  h(
    "span",
    null,
    h("bdi", { className: "stash-sense-path" }, file.path),
    " ",
    h("span", { className: "stash-sense-quiet" }, [bytes(file.size), file.duration ? moment(file.duration) : null].filter(Boolean).join(" · "))
  );

/** What sources say otherwise than what is kept: it is lost. */
export const Lost = ({ lost }) =>
  h(
    Said,
    { title: t("details.plan.lost"), variant: "warning" },
    items(lost).map(({ field, value, kept }) =>
      t("details.plan.lostValue", {
        field: fieldName(field),
        value: h("bdi", null, valueText(value)),
        kept: h("bdi", null, valueText(kept)),
      })
    )
  );

/** Aliases that another has, and whose they are. */
const RefusedAliases = ({ aliases }) =>
  h(
    Said,
    { title: t("details.plan.refusedAliases") },
    items(aliases).map(({ alias, used_by: owner }) =>
      t("details.plan.refusedAlias", { alias: named(alias), owner: named(owner?.name) })
    )
  );

/** What an update of a performer, tag, studio or scene would write. */
export function UpdatePlan({ plan }) {
  const lists = ["performer_ids", "tag_ids"].flatMap((key) => {
    const { added = [], removed = [] } = plan[key] ?? {};
    return [
      added.length > 0 && t(`details.plan.${key}.added`, { count: added.length }),
      removed.length > 0 && t(`details.plan.${key}.removed`, { count: removed.length }),
    ];
  });
  const hasLists = lists.some(Boolean);
  return h(
    "div",
    null,
    h(Changes, { changes: plan.changes, none: hasLists || plan.created_parent ? null : t("details.plan.nothing") }),
    h(Said, { title: t("details.plan.lists") }, lists),
    plan.created_parent &&
      h("p", null, t("details.plan.createdParent", { name: named(plan.created_parent.name) })),
    h(RefusedAliases, { aliases: plan.refused_aliases })
  );
}

/** Names of performers or scenes of a plan. */
export const namesOf = (rows) => listed(items(rows).map(({ name, title, id }) => named(name ?? title, `#${id}`)));
