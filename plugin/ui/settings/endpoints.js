// Which stash-boxes are asked, and whose word counts first.
import { Button, Form, h, Icon, useState } from "../host.js";
import { call } from "../api.js";
import { ConfirmDialog } from "../parts/dialogs.js";
import { Asked, Empty, Problem } from "../parts/feedback.js";
import { useAction } from "../resources.js";
import { t } from "../texts.js";

export function Endpoints({ endpoints }) {
  const [leaving, setLeaving] = useState(null);
  const act = useAction(async (mode, args) => {
    await call(mode, args);
    await endpoints.reload();
    return true;
  });
  const move = (rows, from, to) => {
    const order = rows.map((row) => row.endpoint);
    order.splice(to, 0, ...order.splice(from, 1));
    act.run("endpoint_priorities_set", { endpoints: order });
  };
  return h(
    "section",
    null,
    h("h3", null, t("settings.boxes")),
    h("p", { className: "stash-sense-quiet" }, t("settings.boxesHint")),
    h(Problem, { error: act.error, onClose: act.forget }),
    h(Asked, { of: endpoints }, ({ endpoints: rows, disabled }) =>
      rows.length + disabled.length === 0
        ? h(Empty, null, t("settings.noBoxes"))
        : h(
            "ol",
            { className: "stash-sense-boxes" },
            rows.map((row, i) =>
              h(
                Box,
                { key: row.endpoint, row },
                h(Arrow, { row, up: true, act, isLast: i === 0, onClick: () => move(rows, i, i - 1) }),
                h(Arrow, { row, act, isLast: i === rows.length - 1, onClick: () => move(rows, i, i + 1) }),
                h(Button, { size: "sm", variant: "secondary", disabled: act.isBusy, onClick: () => setLeaving(row) },
                  t("settings.disable"))
              )
            ),
            disabled.map((row) =>
              h(
                Box,
                { key: row.endpoint, row, isOff: true },
                h(Button, {
                  size: "sm",
                  variant: "secondary",
                  disabled: act.isBusy,
                  onClick: () => act.run("endpoint_enable", { endpoint: row.endpoint }),
                }, t("settings.enable"))
              )
            )
          )
    ),
    leaving && h(DisableDialog, { row: leaving, onClose: () => setLeaving(null), onDone: async () => {
      setLeaving(null);
      await endpoints.reload();
    } })
  );
}

function Box({ row, isOff = false, children }) {
  return h(
    "li",
    { className: isOff ? "stash-sense-off" : "" },
    h("div", null, h("bdi", null, row.name || row.domain),
      h("div", { className: "stash-sense-quiet" }, row.endpoint, isOff && ` (${t("settings.isDisabled")})`)),
    h("div", { className: "stash-sense-buttons" }, children)
  );
}

function Arrow({ row, up = false, isLast, act, onClick }) {
  return h(
    Button,
    {
      size: "sm",
      variant: "secondary",
      disabled: isLast || act.isBusy,
      "aria-label": t(up ? "settings.up" : "settings.down", { name: row.name || row.domain }),
      onClick,
    },
    h(Icon, { name: up ? "faArrowUp" : "faArrowDown" })
  );
}

function DisableDialog({ row, onClose, onDone }) {
  const [isClearing, setIsClearing] = useState(false);
  const action = useAction(() =>
    call("endpoint_disable", { endpoint: row.endpoint, clear_recommendations: isClearing })
  );
  return h(
    ConfirmDialog,
    {
      title: t("settings.disableTitle", { name: row.name || row.domain }),
      confirmLabel: t("settings.disable"),
      action,
      onClose,
      onDone,
    },
    h("p", null, t("settings.disableBody")),
    h(Form.Check, {
      id: "stash-sense-clear",
      type: "checkbox",
      label: t("settings.clear"),
      checked: isClearing,
      onChange: (event) => setIsClearing(event.target.checked),
    })
  );
}
