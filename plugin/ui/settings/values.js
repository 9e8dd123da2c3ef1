// The sidecar's settings: it says which there are, of what type, and what they may be.
import { Badge, Button, Form, h, useState } from "../host.js";
import { count } from "../format.js";
import { call } from "../api.js";
import { ConfirmDialog } from "../parts/dialogs.js";
import { Asked, Problem } from "../parts/feedback.js";
import { useAction, useSidecar } from "../resources.js";
import { t } from "../texts.js";

// Switching it off erases what was learnt.
const ERASING = "local_performers_enabled";

export function Values() {
  const settings = useSidecar("settings_get_all");
  return h(Asked, { of: settings }, ({ categories }) =>
    Object.entries(categories)
      .sort(([, one], [, other]) => one.order - other.order)
      .map(([name, category]) =>
        h(
          "section",
          { key: name },
          h("h3", null, category.label),
          Object.entries(category.settings).map(([key, setting]) =>
            h(Value, { key, name: key, setting, onChanged: settings.reload })
          )
        )
      )
  );
}

function Value({ name, setting, onChanged }) {
  const [typed, setTyped] = useState(null);
  const [isAsking, setIsAsking] = useState(false);
  const change = useAction(async (mode, args) => {
    await call(mode, { key: name, ...args });
    await onChanged();
    setTyped(null);
    setIsAsking(false);
    return true;
  });
  const choose = (value) => change.run("settings_update", { value });
  const flip = (isOn) => (name === ERASING && !isOn ? setIsAsking(true) : choose(isOn));
  const id = `stash-sense-setting-${name}`;
  return h(
    "div",
    { className: "stash-sense-setting" },
    h("div", null,
      h("label", { htmlFor: id }, setting.label), " ",
      setting.is_override && h(Badge, { variant: "primary" }, t("settings.chosen")),
      setting.applies !== "live" && h(Badge, { variant: "secondary" }, t("settings.afterReload")),
      h("div", { className: "stash-sense-quiet", id: `${id}-help` }, setting.description, " ", bounds(setting))
    ),
    h("div", { className: "stash-sense-buttons" },
      setting.type === "bool"
        ? h(Form.Check, {
            id,
            type: "switch",
            label: h("span", { className: "sr-only" }, setting.label),
            "aria-describedby": `${id}-help`,
            checked: setting.value,
            disabled: change.isBusy,
            onChange: (event) => flip(event.target.checked),
          })
        : h(NumberField, { id, setting, typed, setTyped, isBusy: change.isBusy, onSave: choose }),
      setting.is_override &&
        h(Button, {
          size: "sm",
          variant: "secondary",
          disabled: change.isBusy,
          "aria-label": t("settings.resetOne", { name: setting.label }),
          onClick: () => change.run("settings_reset"),
        }, t("settings.reset"))
    ),
    h(Problem, { error: change.error, onClose: change.forget }),
    isAsking &&
      h(
        ConfirmDialog,
        {
          title: t("settings.eraseTitle"),
          confirmLabel: t("settings.erase"),
          variant: "danger",
          action: { ...change, run: () => choose(false) },
          onClose: () => setIsAsking(false),
        },
        h("p", null, t("settings.eraseBody"))
      )
  );
}

function NumberField({ id, setting, typed, setTyped, isBusy, onSave }) {
  const save = (event) => {
    event.preventDefault();
    onSave(typed);
  };
  return h(
    Form,
    { inline: true, onSubmit: save, className: "stash-sense-buttons" },
    h(Form.Control, {
      id,
      size: "sm",
      type: "number",
      min: setting.min,
      max: setting.max,
      step: setting.multiple_of ?? (setting.type === "int" ? 1 : "any"),
      value: typed ?? String(setting.value),
      "aria-describedby": `${id}-help`,
      disabled: isBusy,
      onChange: (event) => setTyped(event.target.value),
    }),
    h(Button, { type: "submit", size: "sm", variant: "primary", disabled: typed === null || isBusy },
      t("common.save"))
  );
}

function bounds({ type, min, max, default: fallback }) {
  if (type === "bool") return "";
  return t("settings.bounds", { min: count(min), max: count(max), fallback: count(fallback) });
}
