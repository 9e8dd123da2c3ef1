// Finding a performer of this Stash by name or alias.
import { Button, Form, h, useEffect, useRef, useState } from "../host.js";
import { useSidecar } from "../resources.js";
import { stashPicture } from "../stash.js";
import { t } from "../texts.js";
import { Problem } from "./feedback.js";
import { Picture } from "./media.js";

const WAIT_MS = 250;
let fields = 0;

/** A field with what it finds; `onChoose` gets the performer {id, name, ...}, or null. */
export function PerformerSearch({ label, chosen, onChoose, initial = "" }) {
  const id = useRef(`stash-sense-search-${(fields += 1)}`);
  const [typed, setTyped] = useState(initial);
  const query = useLate(typed.trim());
  const found = useSidecar("search_performers", { query }, { isWanted: query !== "" && chosen === null });
  if (chosen !== null) {
    return h(
      "div",
      { className: "stash-sense-buttons stash-sense-chosen" },
      h(Performer, { performer: chosen }),
      h(Button, { size: "sm", variant: "secondary", onClick: () => onChoose(null) }, t("common.another"))
    );
  }
  return h(
    Form.Group,
    { controlId: id.current },
    h(Form.Label, null, label),
    h(Form.Control, {
      type: "search",
      value: typed,
      autoComplete: "off",
      "aria-controls": `${id.current}-found`,
      onChange: (event) => setTyped(event.target.value),
    }),
    h(Problem, { error: found.error }),
    h(
      "ul",
      { id: `${id.current}-found`, className: "stash-sense-found", "aria-live": "polite" },
      (query === "" ? [] : found.data ?? []).map((performer) =>
        h(
          "li",
          { key: performer.id },
          h(Button, { variant: "link", onClick: () => onChoose(performer) }, h(Performer, { performer }))
        )
      ),
      query !== "" && found.data?.length === 0 && h("li", { className: "stash-sense-quiet" }, t("common.noneFound"))
    )
  );
}

function Performer({ performer }) {
  const aliases = performer.alias_list ?? [];
  return h(
    "span",
    { className: "stash-sense-found-one" },
    h(Picture, { src: stashPicture("performer", performer.id), className: "stash-sense-thumb" }),
    h("span", null,
      h("bdi", null, performer.name),
      performer.disambiguation && h("span", { className: "stash-sense-quiet" }, ` (${performer.disambiguation})`),
      aliases.length > 0 && h("span", { className: "stash-sense-quiet" }, " ", h("bdi", null, aliases.join(", "))))
  );
}

/** `value` as it was when nothing had been typed for a moment. */
function useLate(value) {
  const [late, setLate] = useState(value);
  useEffect(() => {
    const timer = setTimeout(() => setLate(value), WAIT_MS);
    return () => clearTimeout(timer);
  }, [value]);
  return late;
}
