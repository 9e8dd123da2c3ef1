// Dismissing those chosen, or all of a type; which were not is told.
import { call } from "../api.js";
import { PermanentChoice } from "../details/dismiss_dialog.js";
import { comesBack, typeName } from "../details/words.js";
import { Button, h, useState } from "../host.js";
import { ConfirmDialog, Dialog } from "../parts/dialogs.js";
import { useAction } from "../resources.js";
import { t } from "../texts.js";

/** Of `rows`, or every pending one of `type`, of which there are `count`. */
export function DismissManyDialog({ rows, type, count, onClose, onDone }) {
  const [isPermanent, setIsPermanent] = useState(false);
  const [answer, setAnswer] = useState(null);
  const action = useAction(() =>
    call("rec_batch_dismiss", {
      permanent: isPermanent,
      ...(rows ? { ids: rows.map(({ id }) => id), seen_at: newestOf(rows) } : { type }),
    })
  );
  const left = answer?.not_dismissed ?? [];
  if (left.length > 0) return h(Left, { answer, left, onDone });
  return h(
    ConfirmDialog,
    {
      title: t("details.dismiss.title"),
      confirmLabel: t("recommendations.dismiss.confirm", { count: rows?.length ?? count }),
      variant: rows ? "primary" : "danger",
      action,
      onClose,
      onDone: (found) => ((found.not_dismissed ?? []).length > 0 ? setAnswer(found) : onDone(found)),
    },
    h(
      "p",
      null,
      rows
        ? t("recommendations.dismiss.chosen", { count: rows.length })
        : t("recommendations.dismiss.all", { count, type: typeName(type) })
    ),
    h(PermanentChoice, { type: typeOf(rows, type), isPermanent, onChange: setIsPermanent })
  );
}

/** When the last of them changed: what changed later was not looked at. */
const newestOf = (rows) =>
  rows
    .map((each) => each.updated_at)
    .reduce((newest, each) => (each.replace("Z", "") > newest.replace("Z", "") ? each : newest));

/** A type to explain with: of several that differ in it, one that does not come back. */
const typeOf = (rows, type) =>
  type ?? rows.find((each) => !comesBack(each.type))?.type ?? rows[0].type;

const Left = ({ answer, left, onDone }) =>
  h(
    Dialog,
    {
      title: t("details.dismiss.title"),
      onClose: () => onDone(answer),
      footer: h(Button, { onClick: () => onDone(answer) }, t("common.close")),
    },
    h("p", { role: "status" }, t("recommendations.dismiss.done", { count: answer.dismissed_count })),
    h("ul", null, left.map(({ recommendation_id: id, detail }) => h("li", { key: id }, detail)))
  );
