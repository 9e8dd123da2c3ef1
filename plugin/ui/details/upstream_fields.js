// The table of what a stash-box said, what is here, and what it says, a choice for each.
import { Badge, Button, Form, h, Table, useState } from "../host.js";
import { t } from "../texts.js";
import { valueText } from "./plan_words.js";
import { isList, MINE, OWN, takesText, textOf, THEIRS, union } from "./upstream_choices.js";
import { fieldName } from "./words.js";

const MOST_ENTRIES = 60;

/** A row for each change; `choiceOf(change)` and `choose(change, choice)` keep choices. */
export function FieldTable({ changes, choiceOf, choose, box }) {
  if (changes.length === 0) return null;
  return h(
    Table,
    { className: "stash-sense-fields" },
    h("caption", { className: "sr-only" }, t("details.upstream.caption")),
    h(
      "thead",
      null,
      h(
        "tr",
        null,
        h("th", { scope: "col" }, t("details.plan.field")),
        h("th", { scope: "col" }, t("details.upstream.was", { box })),
        h("th", { scope: "col" }, t("details.upstream.mine")),
        h("th", { scope: "col" }, t("details.upstream.theirs", { box })),
        h("th", { scope: "col" }, t("details.upstream.choice"))
      )
    ),
    h(
      "tbody",
      null,
      changes.map((change) =>
        h(FieldRow, { key: change.field, change, box, choice: choiceOf(change), onChoose: (choice) => choose(change, choice) })
      )
    )
  );
}

function FieldRow({ change, box, choice, onChoose }) {
  const label = fieldName(change.field, change.field_label);
  const cell = (id, value, values = {}) =>
    h(
      "td",
      { "data-label": t(`details.upstream.${id}`, { box, ...values }) },
      h("bdi", { className: "stash-sense-value" }, valueText(value))
    );
  return h(
    "tr",
    null,
    h(
      "th",
      { scope: "row" },
      label,
      change.is_conflict && h(Badge, { variant: "warning", className: "ml-1" }, t("details.upstream.conflict"))
    ),
    change.previous_upstream_value === null || change.previous_upstream_value === undefined
      ? h("td", { "data-label": t("details.upstream.was", { box }) }, h("span", { className: "stash-sense-quiet" }, t("details.upstream.neverSeen")))
      : cell("was", change.previous_upstream_value),
    cell("mine", change.local_display ?? change.local_value),
    cell("theirs", change.upstream_display ?? change.upstream_value),
    h(
      "td",
      { "data-label": t("details.upstream.choice") },
      isList(change)
        ? h(ListChoice, { change, label, choice, onChoose })
        : h(ValueChoice, { change, label, choice, onChoose })
    )
  );
}

function ValueChoice({ change, label, choice, onChoose }) {
  const name = `stash-sense-choice-${change.field}`;
  const picks = takesText(change) ? [MINE, THEIRS, OWN] : [MINE, THEIRS];
  const isLong = textOf(change.upstream_value).length > 60 || change.merge_type === "text";
  return h(
    "fieldset",
    null,
    h("legend", { className: "sr-only" }, label),
    picks.map((pick) =>
      h(Form.Check, {
        key: pick,
        type: "radio",
        name,
        id: `${name}-${pick}`,
        label: t(`details.upstream.pick.${pick}`),
        checked: choice.pick === pick,
        onChange: () => onChoose({ ...choice, pick }),
      })
    ),
    choice.pick === OWN &&
      h(Form.Control, {
        as: isLong ? "textarea" : "input",
        size: "sm",
        dir: "auto",
        "aria-label": t("details.upstream.ownLabel", { field: label }),
        value: choice.text,
        onChange: (event) => onChoose({ pick: OWN, text: event.target.value }),
      })
  );
}

function ListChoice({ change, label, choice, onChoose }) {
  const [showsAll, setShowsAll] = useState(false);
  const entries = union(change);
  const shown = showsAll ? entries : entries.slice(0, MOST_ENTRIES);
  const chosen = new Set(choice.entries);
  const toggle = (text) => {
    const has = chosen.has(text);
    onChoose({ entries: has ? choice.entries.filter((each) => each !== text) : [...choice.entries, text] });
  };
  const all = (which) => onChoose({ entries: entries.filter(which).map(({ text }) => text) });
  const quick = (id, which) =>
    h(Button, { key: id, size: "sm", variant: "secondary", onClick: () => all(which) }, t(`details.upstream.list.${id}`));
  return h(
    "fieldset",
    { className: "stash-sense-entries" },
    h("legend", { className: "sr-only" }, label),
    h(
      "div",
      { className: "stash-sense-quick" },
      quick("mine", ({ isMine }) => isMine),
      quick("theirs", ({ isTheirs }) => isTheirs),
      quick("both", () => true)
    ),
    shown.map(({ text, isMine, isTheirs }, i) =>
      h(Form.Check, {
        key: text,
        type: "checkbox",
        id: `stash-sense-entry-${change.field}-${i}`,
        label: h(
          "span",
          null,
          h("bdi", null, text),
          " ",
          h("span", { className: "stash-sense-quiet" }, t(`details.upstream.whose.${isMine && isTheirs ? "both" : isMine ? "mine" : "theirs"}`))
        ),
        checked: chosen.has(text),
        onChange: () => toggle(text),
      })
    ),
    entries.length > shown.length &&
      h(Button, { size: "sm", variant: "link", onClick: () => setShowsAll(true) }, t("details.more", { count: entries.length - shown.length }))
  );
}
