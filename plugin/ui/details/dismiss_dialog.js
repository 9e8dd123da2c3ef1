// Letting a recommendation be: for now or for good, and why where somebody says.
import { Form, h, useState } from "../host.js";
import { ConfirmDialog } from "../parts/dialogs.js";
import { useAction } from "../resources.js";
import { t } from "../texts.js";
import { comesBack } from "./words.js";

/** Asks for both ways and a reason; `onDone` gets the sidecar's answer. */
export function DismissDialog({ recommendation, act, onClose, onDone }) {
  const [isPermanent, setIsPermanent] = useState(false);
  const [reason, setReason] = useState("");
  const action = useAction(() =>
    act(
      "rec_dismiss_upstream",
      { rec_id: recommendation.id, seen_at: recommendation.updated_at, reason, permanent: isPermanent },
      { isAbout: false }
    )
  );
  return h(
    ConfirmDialog,
    { title: t("details.dismiss.title"), confirmLabel: t("details.dismiss.confirm"), action, onClose, onDone },
    h(PermanentChoice, { type: recommendation.type, isPermanent, onChange: setIsPermanent }),
    h(
      Form.Group,
      { controlId: "stash-sense-reason" },
      h(Form.Label, null, t("details.dismiss.reason")),
      h(Form.Control, {
        as: "textarea",
        rows: 2,
        dir: "auto",
        maxLength: 2000,
        value: reason,
        onChange: (event) => setReason(event.target.value),
      })
    )
  );
}

/** For now or for good, and what each means for the type. */
export function PermanentChoice({ type, isPermanent, onChange }) {
  const texts = [
    [false, t("details.dismiss.forNow"), t(comesBack(type) ? "details.dismiss.comesBack" : "details.dismiss.staysAway")],
    [true, t("details.dismiss.forGood"), t("details.dismiss.never")],
  ];
  return h(
    "fieldset",
    null,
    h("legend", { className: "sr-only" }, t("details.dismiss.how")),
    texts.map(([value, label, help]) =>
      h(Form.Check, {
        key: String(value),
        type: "radio",
        name: "stash-sense-permanent",
        id: `stash-sense-permanent-${value}`,
        checked: isPermanent === value,
        onChange: () => onChange(value),
        label: h("span", null, label, h("span", { className: "stash-sense-quiet d-block" }, help)),
      })
    )
  );
}
