// People whom no performer resembles: who of them is the same, and who they are.
import { Alert, Button, Form, h, Link, Route, ROUTE, Switch, useEffect, useHistory, useLocation, useState } from "../host.js";
import { call } from "../api.js";
import { Asked, Empty, Problem } from "../parts/feedback.js";
import { FaceCrop } from "../parts/media.js";
import { Paging } from "../parts/paging.js";
import { PersonPage } from "../people/person.js";
import { useAction, useSidecar } from "../resources.js";
import { t } from "../texts.js";

const PAGE_SIZE = 24;
const STATES = ["open", "named", "ignored"];

export default function PeoplePage() {
  return h(
    Switch,
    null,
    h(Route, { path: `${ROUTE}/people/:id`, component: PersonPage }),
    h(Route, { component: People })
  );
}

/** What the address asks for; kept there, so that going back shows the same. */
function useAsked() {
  const { search } = useLocation();
  const history = useHistory();
  const params = new URLSearchParams(search);
  const state = STATES.includes(params.get("state")) ? params.get("state") : "open";
  const asked = {
    state,
    include_single: params.get("single") === "true",
    offset: Math.max(0, Number.parseInt(params.get("offset"), 10) || 0),
  };
  const ask = (change) => {
    const next = { ...asked, offset: 0, ...change };
    const query = new URLSearchParams({
      state: next.state, single: String(next.include_single), offset: String(next.offset),
    });
    history.push(`${ROUTE}/people?${query}`);
  };
  return [asked, ask];
}

function People() {
  const [asked, ask] = useAsked();
  const people = useSidecar("unknown_list", { ...asked, limit: PAGE_SIZE });
  const [chosen, setChosen] = useState([]);
  const [merged, setMerged] = useState(null);
  const { search } = useLocation();
  // What is not on the page any more is not to be merged.
  useEffect(() => setChosen([]), [search]);
  const merge = useAction(async () => {
    const [first, ...others] = chosen;
    await call("unknown_merge", { group_id: first, group_ids: others });
    setChosen([]);
    setMerged(first);
    await people.reload();
    return true;
  });
  const undo = useAction(async () => {
    await call("unknown_undo", { group_id: merged });
    setMerged(null);
    await people.reload();
    return true;
  });
  const choose = (id, isChosen) =>
    setChosen((before) => (isChosen ? [...before, id] : before.filter((each) => each !== id)));
  return h(
    "div",
    { className: "stash-sense-people" },
    h("h2", null, t("nav.people")),
    h("p", { className: "stash-sense-quiet" }, t("people.hint")),
    h(Filters, { asked, ask }),
    h(Problem, { error: merge.error, onClose: merge.forget }),
    h(Problem, { error: undo.error, onClose: undo.forget }),
    merged !== null &&
      h(
        Alert,
        { variant: "success", className: "stash-sense-buttons", role: "status" },
        t("people.merged"),
        h(Button, { size: "sm", variant: "secondary", disabled: undo.isBusy, onClick: () => undo.run() }, t("common.undo"))
      ),
    chosen.length > 0 &&
      h(
        Alert,
        { variant: "secondary", className: "stash-sense-buttons" },
        t("people.chosen", { count: chosen.length }),
        h(Button, { size: "sm", disabled: chosen.length < 2 || merge.isBusy, onClick: () => merge.run() },
          t("people.merge")),
        h(Button, { size: "sm", variant: "secondary", onClick: () => setChosen([]) }, t("common.cancel"))
      ),
    h(Asked, { of: people }, (data) => h(Groups, { data, asked, ask, chosen, choose }))
  );
}

function Filters({ asked, ask }) {
  return h(
    "div",
    { className: "stash-sense-buttons" },
    h("label", { htmlFor: "stash-sense-people-state" }, t("people.show")),
    h(
      Form.Control,
      {
        id: "stash-sense-people-state",
        as: "select",
        size: "sm",
        value: asked.state,
        onChange: (event) => ask({ state: event.target.value }),
      },
      STATES.map((state) => h("option", { key: state, value: state }, t(`people.state.${state}`)))
    ),
    h(Form.Check, {
      id: "stash-sense-people-single",
      type: "checkbox",
      label: t("people.single"),
      checked: asked.include_single,
      onChange: (event) => ask({ include_single: event.target.checked }),
    })
  );
}

function Groups({ data, asked, ask, chosen, choose }) {
  return h(
    "div",
    null,
    data.waiting_people > 0 &&
      h("p", { className: "stash-sense-quiet" }, t("people.waiting", { count: data.waiting_people })),
    data.groups.length === 0
      ? h(Empty, null, t(`people.none.${asked.include_single && asked.state === "open" ? "all" : asked.state}`))
      : h(
          "ul",
          { className: "stash-sense-faces" },
          data.groups.map((group) =>
            h(
              "li",
              { key: group.group_id },
              h(
                Link,
                { to: `${ROUTE}/people/${group.group_id}` },
                h(FaceCrop, { mode: "unknown_crop", args: { group_id: group.group_id }, alt: "" }),
                h("bdi", null, group.name || t("people.number", { id: group.group_id }))
              ),
              h("span", { className: "stash-sense-quiet" }, t("people.media", { count: group.media_count })),
              asked.state === "open" &&
                h(Form.Check, {
                  id: `stash-sense-group-${group.group_id}`,
                  type: "checkbox",
                  label: t("people.same"),
                  checked: chosen.includes(group.group_id),
                  onChange: (event) => choose(group.group_id, event.target.checked),
                })
            )
          )
        ),
    h(Paging, { offset: asked.offset, limit: PAGE_SIZE, total: data.total, onChange: (offset) => ask({ offset }) })
  );
}
