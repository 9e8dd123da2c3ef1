// Dialogs keep the focus inside while they are open and give it back when they are closed.
import { Button, h, Modal, useRef } from "../host.js";
import { t } from "../texts.js";
import { Problem } from "./feedback.js";

/** A dialog with a title and whatever `children` and `footer` are. */
export function Dialog({ title, onClose, children, footer, size, isBusy = false }) {
  const titleId = useRef(`stash-sense-title-${(Dialog.count = (Dialog.count ?? 0) + 1)}`);
  return h(
    Modal,
    {
      show: true,
      onHide: () => isBusy || onClose(),
      size,
      scrollable: true,
      className: "stash-sense-dialog",
      "aria-labelledby": titleId.current,
    },
    h(
      Modal.Header,
      { closeButton: !isBusy, closeLabel: t("common.close") },
      h(Modal.Title, { id: titleId.current }, title)
    ),
    h(Modal.Body, null, children),
    footer && h(Modal.Footer, null, footer)
  );
}

/**
 * Asks before something is done: `action` is a useAction whose run is called without
 * arguments. It stays open, with the problem, where that fails; `onDone` gets the answer.
 */
export function ConfirmDialog({
  title, children, confirmLabel = t("common.confirm"), variant = "primary", action,
  onClose, onDone = onClose, isReady = true, size,
}) {
  const confirm = async () => {
    const answer = await action.run();
    if (answer !== undefined) onDone(answer);
  };
  return h(
    Dialog,
    {
      title,
      onClose,
      size,
      isBusy: action.isBusy,
      footer: [
        h(Button, { key: "no", variant: "secondary", onClick: onClose, disabled: action.isBusy }, t("common.cancel")),
        h(
          Button,
          { key: "yes", variant, onClick: confirm, disabled: action.isBusy || !isReady, "aria-busy": action.isBusy },
          confirmLabel
        ),
      ],
    },
    children,
    h(Problem, { error: action.error })
  );
}
