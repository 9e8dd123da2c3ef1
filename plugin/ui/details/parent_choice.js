// Which studio of the library is the parent that a stash-box names.
import { Button, h } from "../host.js";
import { t } from "../texts.js";
import { StashLink } from "./library.js";
import { items, named } from "./words.js";

/** `facts` are of the refusal; `onChoose` gets more arguments of rec_update_studio. */
export function ParentChoice({ facts, onChoose, onLeaveOut }) {
  const candidates = items(facts.candidates);
  const button = (key, onClick, ...label) =>
    h(Button, { key, size: "sm", variant: "secondary", onClick }, ...label);
  return h(
    "section",
    { className: "stash-sense-ways" },
    h("h6", null, t("details.parent.title", { name: named(facts.parent.name) })),
    h(
      "ul",
      null,
      candidates.map((studio) =>
        h(
          "li",
          { key: studio.id },
          h(StashLink, { kind: "studio", id: studio.id, name: studio.name }),
          button("use", () => onChoose({ parent_id: studio.id }), t("details.parent.use"))
        )
      ),
      candidates.length === 0 &&
        h("li", { key: "create" }, button("create", () => onChoose({ create_parent: true }), t("details.parent.create", { name: facts.parent.name }))),
      h("li", { key: "leave" }, button("leave", onLeaveOut, t("details.parent.leave")))
    )
  );
}
