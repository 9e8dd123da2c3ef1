// Which matching mode is meant.
import { Form, h } from "../host.js";
import { textOr } from "../texts.js";

export function ModeChoice({ id, modes, chosen, onChoose, label }) {
  return h(
    "div",
    { className: "stash-sense-buttons" },
    h("label", { htmlFor: id }, label),
    h(
      Form.Control,
      { id, as: "select", size: "sm", value: chosen, onChange: (event) => onChoose(event.target.value) },
      modes.map(({ mode }) =>
        h("option", { key: mode, value: mode }, textOr(`quality.mode.${mode}`, mode)))
    )
  );
}
