// Which fields of a stash-box are followed, kind by kind.
import { Form, h, useState } from "../host.js";
import { call } from "../api.js";
import { Asked, Problem } from "../parts/feedback.js";
import { useAction, useSidecar } from "../resources.js";
import { t } from "../texts.js";

const KINDS = ["performer", "tag", "studio", "scene"];

export function Fields({ endpoints }) {
  const [endpoint, setEndpoint] = useState(endpoints[0]?.endpoint ?? null);
  const [kind, setKind] = useState(KINDS[0]);
  if (endpoint === null) return null;
  return h(
    "section",
    null,
    h("h3", null, t("settings.fields")),
    h("p", { className: "stash-sense-quiet" }, t("settings.fieldsHint")),
    h(
      "div",
      { className: "stash-sense-buttons" },
      h(Choice, {
        id: "stash-sense-field-box",
        label: t("settings.box"),
        value: endpoint,
        onChange: setEndpoint,
        options: endpoints.map((row) => [row.endpoint, row.name || row.domain]),
      }),
      h(Choice, {
        id: "stash-sense-field-kind",
        label: t("settings.kind"),
        value: kind,
        onChange: setKind,
        options: KINDS.map((each) => [each, t(`settings.kind.${each}`)]),
      })
    ),
    h(FieldSwitches, { key: `${kind} ${endpoint}`, endpoint, kind })
  );
}

function Choice({ id, label, value, onChange, options }) {
  return h(
    Form.Group,
    { controlId: id },
    h(Form.Label, null, label),
    h(
      Form.Control,
      { as: "select", size: "sm", value, onChange: (event) => onChange(event.target.value) },
      options.map(([name, text]) => h("option", { key: name, value: name }, text))
    )
  );
}

function FieldSwitches({ endpoint, kind }) {
  const args = { endpoint, entity_type: kind };
  const config = useSidecar("rec_get_field_config", args);
  const change = useAction(async (field, isOn) => {
    await call("rec_set_field_config", { ...args, field_configs: { [field]: isOn } });
    await config.reload();
    return true;
  });
  return h(
    "div",
    null,
    h(Problem, { error: change.error, onClose: change.forget }),
    h(Asked, { of: config }, ({ fields }) =>
      h(
        "ul",
        { className: "stash-sense-abilities" },
        Object.entries(fields).map(([field, { enabled, label }]) =>
          h(
            "li",
            { key: field },
            h(Form.Check, {
              id: `stash-sense-field-${kind}-${field}`,
              type: "switch",
              label,
              checked: enabled,
              disabled: change.isBusy,
              onChange: (event) => change.run(field, event.target.checked),
            })
          )
        )
      )
    )
  );
}
