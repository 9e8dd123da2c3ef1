// One unknown person: where they are, and what is said of them.
import { Button, Form, h, Link, ROUTE, useHistory, useParams, useState } from "../host.js";
import { moment } from "../format.js";
import { call } from "../api.js";
import { ConfirmDialog } from "../parts/dialogs.js";
import { Asked, Problem } from "../parts/feedback.js";
import { FaceCrop } from "../parts/media.js";
import { Paging } from "../parts/paging.js";
import { useAction, useSidecar } from "../resources.js";
import { stashPage } from "../stash.js";
import { t } from "../texts.js";
import { NameDialog } from "./name_dialog.js";

const PAGE_SIZE = 48;

export function PersonPage() {
  const { id } = useParams();
  const groupId = Number(id);
  const [offset, setOffset] = useState(0);
  const person = useSidecar("unknown_get", { group_id: groupId, offset, limit: PAGE_SIZE });
  return h(
    "div",
    { className: "stash-sense-people" },
    h("p", null, h(Link, { to: `${ROUTE}/people` }, t("people.back"))),
    h(Asked, { of: person }, (data) =>
      h("div", null,
        h("h2", null, h("bdi", null, data.name || t("people.number", { id: groupId }))),
        h("p", { className: "stash-sense-quiet" },
          t(`people.state.${data.state}`), " · ", t("people.media", { count: data.media_count })),
        data.local_performer_id !== null &&
          h("p", null, h(Link, { to: stashPage("performer", data.local_performer_id) }, t("people.performer"))),
        h(Person, { key: groupId, data, groupId, onChanged: person.reload }),
        h(Paging, { offset, limit: PAGE_SIZE, total: data.member_count, onChange: setOffset })
      )
    )
  );
}

function Person({ data, groupId, onChanged }) {
  const history = useHistory();
  const [chosen, setChosen] = useState([]);
  const [open, setOpen] = useState(null);
  const split = useAction(async () => {
    const answer = await call("unknown_split", { group_id: groupId, member_ids: chosen });
    setChosen([]);
    await onChanged();
    return answer;
  });
  const ignore = useAction(() => call("unknown_ignore", { group_id: groupId }));
  const undo = useAction(async () => {
    await call("unknown_undo", { group_id: groupId });
    await onChanged();
    return true;
  });
  const done = async () => {
    setOpen(null);
    await onChanged();
  };
  const isOpen = data.state === "open";
  return h(
    "div",
    null,
    h("div", { className: "stash-sense-buttons" },
      isOpen && h(Button, { onClick: () => setOpen("name") }, t("people.name")),
      isOpen && h(Button, { variant: "secondary", onClick: () => setOpen("ignore") }, t("people.ignore")),
      isOpen && h(Button, {
        variant: "secondary",
        disabled: chosen.length === 0 || chosen.length === data.member_count || split.isBusy,
        onClick: () => split.run(),
      }, t("people.split", { count: chosen.length })),
      h(Button, { variant: "secondary", disabled: undo.isBusy, onClick: () => undo.run() }, t("people.undo"))
    ),
    h(Problem, { error: split.error, onClose: split.forget }),
    h(Problem, { error: undo.error, onClose: undo.forget }),
    h(Members, { data, groupId, chosen, setChosen, canChoose: isOpen }),
    open === "name" && h(NameDialog, { groupId, onClose: () => setOpen(null), onDone: done }),
    open === "ignore" &&
      h(ConfirmDialog, {
        title: t("people.ignoreTitle"),
        confirmLabel: t("people.ignore"),
        action: ignore,
        onClose: () => setOpen(null),
        onDone: () => history.push(`${ROUTE}/people`),
      }, h("p", null, t("people.ignoreBody")))
  );
}

function Members({ data, groupId, chosen, setChosen, canChoose }) {
  const choose = (id, isChosen) =>
    setChosen((before) => (isChosen ? [...before, id] : before.filter((each) => each !== id)));
  return h(
    "ul",
    { className: "stash-sense-faces" },
    data.members.map((member) =>
      h(
        "li",
        { key: member.member_id },
        h(
          Link,
          { to: placeOf(member) },
          h(FaceCrop, { mode: "unknown_crop", args: { group_id: groupId, member: member.member_id } }),
          t(`operations.${member.kind}`, { id: member.stash_id })
        ),
        h("span", { className: "stash-sense-quiet" },
          t("people.seen", { count: member.face_count }),
          member.best_face?.timestamp !== null && member.best_face !== null &&
            ` · ${moment(member.best_face.timestamp)}`),
        canChoose &&
          h(Form.Check, {
            id: `stash-sense-member-${member.member_id}`,
            type: "checkbox",
            label: t("people.other"),
            checked: chosen.includes(member.member_id),
            onChange: (event) => choose(member.member_id, event.target.checked),
          })
      )
    )
  );
}

/** Stash's page of where a member is; of a scene at the moment of the best face. */
function placeOf({ kind, stash_id: stashId, best_face: face }) {
  const page = stashPage(kind, stashId);
  return kind === "scene" && typeof face?.timestamp === "number"
    ? `${page}?t=${face.timestamp.toFixed(1)}`
    : page;
}
