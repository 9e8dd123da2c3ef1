// What can be done about several recommendations at once.
import { upstreamKind } from "../details/words.js";
import { Button, Form, h, useState } from "../host.js";
import { t } from "../texts.js";
import { AcceptAllDialog } from "./accept_all.js";
import { DismissManyDialog } from "./dismiss_many.js";
import { OneByOneDialog } from "./one_by_one.js";
import { restoring, takingUpstream } from "./work.js";

/** A bar above the list: choose all of the page, and what to do with those chosen. */
export function Bulk({ type, status, pendingCount, chosen, isAll, onChooseAll, hasRows, onChanged }) {
  const [open, setOpen] = useState(null);
  const close = () => setOpen(null);
  const ended = () => {
    close();
    onChanged();
  };
  const button = (name, values, rest = {}) =>
    h(
      Button,
      { key: name, size: "sm", variant: "secondary", onClick: () => setOpen(name), ...rest },
      t(`recommendations.bulk.${name}`, values)
    );
  const isPending = status === "pending";
  const upstream = chosen.filter((each) => upstreamKind(each.type) !== null);
  const dialogs = {
    dismiss: () => h(DismissManyDialog, { rows: chosen, onClose: close, onDone: ended }),
    dismissAll: () => h(DismissManyDialog, { type, count: pendingCount, onClose: close, onDone: ended }),
    restore: () => h(OneByOneDialog, { rows: chosen, work: restoring, onClose: close, onDone: ended }),
    takeTheirs: () => h(OneByOneDialog, { rows: upstream, work: takingUpstream, onClose: close, onDone: ended }),
    acceptAll: () => h(AcceptAllDialog, { onClose: close, onDone: ended }),
  };
  return h(
    "div",
    { className: "stash-sense-bulk" },
    hasRows &&
      h(Form.Check, {
        type: "checkbox",
        id: "stash-sense-choose-all",
        checked: isAll,
        onChange: onChooseAll,
        label: t("recommendations.bulk.all"),
      }),
    h("span", { "aria-live": "polite", className: "stash-sense-quiet" }, chosen.length > 0 && t("recommendations.bulk.chosen", { count: chosen.length })),
    h(
      "span",
      { className: "stash-sense-quick" },
      isPending && chosen.length > 0 && button("dismiss", { count: chosen.length }),
      isPending && upstream.length > 0 && button("takeTheirs", { count: upstream.length }),
      status === "dismissed" && chosen.length > 0 && button("restore", { count: chosen.length }),
      isPending && type === "scene_fingerprint_match" && hasRows && button("acceptAll"),
      isPending && type !== "" && pendingCount > 0 && button("dismissAll", { count: pendingCount })
    ),
    open !== null && dialogs[open]()
  );
}
