// Who somebody is: a performer of this Stash, or a name that is nobody's yet.
import { Form, h, useState } from "../host.js";
import { call } from "../api.js";
import { ConfirmDialog } from "../parts/dialogs.js";
import { PerformerSearch } from "../parts/performer_search.js";
import { useAction } from "../resources.js";
import { t } from "../texts.js";

export function NameDialog({ groupId, onClose, onDone }) {
  const [performer, setPerformer] = useState(null);
  const [name, setName] = useState("");
  const action = useAction(() =>
    call("unknown_name", {
      group_id: groupId,
      ...(performer === null ? { name: name.trim() } : { local_performer_id: Number(performer.id) }),
    })
  );
  return h(
    ConfirmDialog,
    {
      title: t("people.nameTitle"),
      confirmLabel: t("people.name"),
      action,
      onClose,
      onDone,
      isReady: performer !== null || name.trim() !== "",
    },
    h(PerformerSearch, { label: t("people.performerLabel"), chosen: performer, onChoose: setPerformer }),
    performer === null &&
      h(
        Form.Group,
        { controlId: "stash-sense-free-name" },
        h(Form.Label, null, t("people.freeName")),
        h(Form.Control, {
          value: name,
          maxLength: 255,
          onChange: (event) => setName(event.target.value),
        }),
        h(Form.Text, null, t("people.freeNameHint"))
      )
  );
}
