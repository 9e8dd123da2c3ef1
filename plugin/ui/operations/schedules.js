// When analyses begin by themselves.
import { Form, h, Table } from "../host.js";
import { when } from "../format.js";
import { call } from "../api.js";
import { Asked, Problem } from "../parts/feedback.js";
import { useAction, useSidecar } from "../resources.js";
import { t } from "../texts.js";
import { nameOf } from "./begin.js";

export function Schedules({ types }) {
  const schedules = useSidecar("queue_schedules");
  const change = useAction(async (type, enabled, hours) => {
    await call("queue_update_schedule", { type, enabled, interval_hours: hours });
    await schedules.reload();
    return true;
  });
  return h(
    "section",
    null,
    h("h3", null, t("operations.schedules")),
    h("p", { className: "stash-sense-quiet" }, t("operations.schedulesHint")),
    h(Problem, { error: change.error, onClose: change.forget }),
    h(Asked, { of: schedules }, ({ schedules: rows }) =>
      h(
        Table,
        { size: "sm", className: "stash-sense-table" },
        h("thead", null, h("tr", null, ["what", "on", "every", "next"].map((name) =>
          h("th", { key: name, scope: "col" }, t(`operations.schedule.${name}`))))),
        h("tbody", null, types.map((type) =>
          h(Schedule, {
            key: type.type_id,
            type,
            name: nameOf(types, type.type_id),
            row: rows.find((each) => each.type === type.type_id),
            change,
          })))
      )
    )
  );
}

function Schedule({ type, name, row, change }) {
  const hours = row?.interval_hours ?? type.default_interval_hours;
  const isOn = row?.enabled ?? false;
  const label = (column) => t(`operations.schedule.${column}`);
  return h(
    "tr",
    null,
    h("th", { scope: "row" }, name),
    h(
      "td",
      { "data-label": label("on") },
      h(Form.Check, {
        id: `stash-sense-schedule-${type.type_id}`,
        type: "switch",
        label: h("span", { className: "sr-only" }, t("operations.switch", { name })),
        checked: isOn,
        disabled: change.isBusy,
        onChange: (event) => change.run(type.type_id, event.target.checked, hours),
      })
    ),
    h(
      "td",
      { "data-label": label("every") },
      h(
        Form.Control,
        {
          as: "select",
          size: "sm",
          value: String(hours),
          disabled: change.isBusy,
          "aria-label": t("operations.interval", { name }),
          onChange: (event) => change.run(type.type_id, isOn, Number(event.target.value)),
        },
        type.allowed_intervals.map((interval) =>
          h("option", { key: interval.hours, value: String(interval.hours) }, interval.label))
      )
    ),
    h("td", { "data-label": label("next") }, isOn ? when(row?.next_run_at) : "–")
  );
}
