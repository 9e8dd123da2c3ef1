// Looking for a performer, tag or studio of the library by name.
import { call } from "../api.js";
import { Badge, Button, Form, h, InputGroup, useState } from "../host.js";
import { Empty, Problem } from "../parts/feedback.js";
import { useAction } from "../resources.js";
import { t } from "../texts.js";
import { StashLink } from "./library.js";
import { items } from "./words.js";

/** A field and what is found; `onChoose({ id, name })` for the one that is meant. */
export function EntitySearch({ kind, endpoint, first = "", onChoose, chooseLabel = t("details.search.choose"), exceptId }) {
  const [query, setQuery] = useState(first);
  const [found, setFound] = useState(null);
  const search = useAction(async () => {
    const { results } = await call("rec_search_entities", {
      entity_type: kind,
      query: query.trim(),
      endpoint,
    });
    setFound(items(results).filter(({ id }) => id !== exceptId));
  });
  const submit = (event) => {
    event.preventDefault();
    if (query.trim() !== "") search.run();
  };
  return h(
    "div",
    { className: "stash-sense-search" },
    h(
      Form,
      { onSubmit: submit, role: "search" },
      h(
        InputGroup,
        { size: "sm" },
        h(Form.Control, {
          value: query,
          dir: "auto",
          "aria-label": t(`details.search.${kind}`),
          placeholder: t(`details.search.${kind}`),
          onChange: (event) => setQuery(event.target.value),
        }),
        h(
          InputGroup.Append,
          null,
          h(Button, { type: "submit", variant: "secondary", disabled: search.isBusy || query.trim() === "" }, t("details.search.go"))
        )
      )
    ),
    h(Problem, { error: search.error }),
    h("div", { "aria-live": "polite" }, found?.length === 0 && h(Empty, null, t("details.search.nobody"))),
    found?.length > 0 && h("ul", { className: "stash-sense-entities" }, found.map((row) => foundRow(kind, row, chooseLabel, onChoose)))
  );
}

const foundRow = (kind, row, chooseLabel, onChoose) =>
  h(
    "li",
    { key: row.id },
    h(StashLink, { kind, id: row.id, name: row.name }),
    row.disambiguation && h("span", { className: "stash-sense-quiet" }, ` (${row.disambiguation})`),
    row.linked && h(Badge, { variant: "secondary" }, t("details.search.linked")),
    h(Button, { size: "sm", variant: "secondary", onClick: () => onChoose(row) }, chooseLabel)
  );
