// Choosing one of the library's performers by a name.
import { Button, Form, h, InputGroup, useRef, useState } from "../host.js";
import { call } from "../api.js";
import { Busy, Empty, Problem } from "../parts/feedback.js";
import { Picture } from "../parts/media.js";
import { useAction } from "../resources.js";
import { t } from "../texts.js";
import { performersOf } from "./library.js";

/** A search field with what it finds; `onChoose` gets a performer, or null for none. */
export function PerformerSearch({ chosen, onChoose, first = "" }) {
  const [words, setWords] = useState(first);
  const [found, setFound] = useState(null);
  const id = useRef(`stash-sense-search-${(PerformerSearch.count = (PerformerSearch.count ?? 0) + 1)}`);
  const search = useAction(async () => {
    const rows = await call("search_performers", { query: words.trim() });
    setFound(await withPictures(rows));
    return true;
  });
  const submit = (event) => {
    event.preventDefault();
    event.stopPropagation();
    if (words.trim() === "") return;
    onChoose(null);
    search.run();
  };
  return h(
    Form,
    { onSubmit: submit, role: "search" },
    h(Form.Label, { htmlFor: id.current }, t("who.searchLabel")),
    h(
      InputGroup,
      null,
      h(Form.Control, {
        id: id.current,
        type: "search",
        className: "text-input",
        value: words,
        maxLength: 200,
        autoComplete: "off",
        onChange: (event) => setWords(event.target.value),
      }),
      h(
        InputGroup.Append,
        null,
        h(Button, { type: "submit", variant: "secondary", disabled: search.isBusy }, t("who.search"))
      )
    ),
    h(Problem, { error: search.error }),
    h(
      "div",
      { "aria-live": "polite" },
      search.isBusy && h(Busy),
      !search.isBusy && found?.length === 0 && h(Empty, null, t("who.nobodyFound"))
    ),
    found?.length > 0 && h(Found, { found, chosen, onChoose, name: `${id.current}-found` })
  );
}

/** What Stash shows of them; the sidecar's own address of Stash is none for browsers. */
async function withPictures(rows) {
  const plain = rows.map((row) => ({ ...row, image_path: null }));
  try {
    const shown = new Map((await performersOf(rows.map(({ id }) => id))).map((each) => [each.id, each]));
    return plain.map((row) => ({ ...row, image_path: shown.get(row.id)?.image_path ?? null }));
  } catch (error) {
    console.warn("Stash Sense:", error.message);
    return plain;
  }
}

const Found = ({ found, chosen, onChoose, name }) =>
  h(
    "fieldset",
    { className: "stash-sense-choices" },
    h("legend", { className: "sr-only" }, t("who.found")),
    found.map((performer) =>
      h(Choice, {
        key: performer.id,
        name,
        isChosen: chosen?.id === performer.id,
        onChoose: () => onChoose(performer),
        picture: performer.image_path,
        title: performer.name,
        more: [performer.disambiguation, (performer.alias_list ?? []).slice(0, 4).join(", ")],
      })
    )
  );

/** A performer with a radio button before them. */
export const Choice = ({ name, isChosen, onChoose, picture, title, more }) =>
  h(
    "label",
    { className: "stash-sense-choice" },
    h("input", { type: "radio", name, checked: isChosen, onChange: onChoose }),
    h("span", { className: "stash-sense-choice-picture" }, h(Picture, { src: picture })),
    h(
      "span",
      { className: "stash-sense-choice-text" },
      h("bdi", null, title),
      more.filter(Boolean).map((each, i) =>
        h("span", { key: i, className: "stash-sense-quiet" }, " ", h("bdi", null, each))
      )
    )
  );
