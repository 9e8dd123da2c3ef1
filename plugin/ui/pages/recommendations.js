// Everything that is recommended: by type and status, a page at a time, one or many.
import { sentenceOf, picturedIn } from "../details/sentences.js";
import { LibraryPicture } from "../details/library.js";
import { boxName, shownConfidence, TYPES, typeName } from "../details/words.js";
import { age, count, percent, when } from "../format.js";
import { Badge, Form, h, Link, Nav, ROUTE, useEffect, useHistory, useLocation, useRef, useState } from "../host.js";
import { Asked, Empty } from "../parts/feedback.js";
import { Paging } from "../parts/paging.js";
import { Bulk } from "../recommendations/bulk.js";
import { RunOfType } from "../recommendations/run.js";
import { useSidecar } from "../resources.js";
import { t } from "../texts.js";

const PAGE = 25;
const STATUSES = ["pending", "dismissed", "resolved"];
const PATH = `${ROUTE}/recommendations`;

/** The page; what is shown is in its address, so that it can be gone back to. */
export default function Page() {
  const shown = useShown();
  const counts = useSidecar("rec_counts");
  const list = useSidecar("rec_list", {
    status: shown.status,
    limit: PAGE,
    offset: shown.offset,
    ...(shown.type && { type: shown.type }),
  });
  const reload = () => Promise.all([counts.reload(), list.reload()]);
  const byType = counts.data?.counts ?? {};
  return h(
    "div",
    { className: "stash-sense-recommendations" },
    h("h2", null, t("nav.recommendations")),
    h(
      "div",
      { className: "stash-sense-columns" },
      h(Types, { byType, shown }),
      h(
        "div",
        { className: "stash-sense-main" },
        h(Statuses, { byType, shown }),
        shown.type && h(RunOfType, { key: shown.type, type: shown.type, onEnded: reload }),
        h(Asked, { of: list }, (data) => h(List, { data, shown, byType, reload }))
      )
    )
  );
}

/** Type, status and offset of the address; `at(changes)` is the address of others. */
function useShown() {
  const { search } = useLocation();
  const query = new URLSearchParams(search);
  const status = STATUSES.includes(query.get("status")) ? query.get("status") : "pending";
  const type = /^\w{1,40}$/.test(query.get("type") ?? "") ? query.get("type") : "";
  const page = Number(query.get("page"));
  const offset = Number.isInteger(page) && page > 1 ? (page - 1) * PAGE : 0;
  const at = (changes) => {
    const to = { status, type, offset: 0, ...changes };
    const next = new URLSearchParams();
    if (to.type) next.set("type", to.type);
    if (to.status !== "pending") next.set("status", to.status);
    if (to.offset > 0) next.set("page", String(to.offset / PAGE + 1));
    const text = next.toString();
    return PATH + (text && `?${text}`);
  };
  return { status, type, offset, at };
}

const sumOf = (byType, status) =>
  Object.values(byType).reduce((sum, each) => sum + (each[status] ?? 0), 0);

function Types({ byType, shown }) {
  const history = useHistory();
  const types = [...new Set(["", ...TYPES, ...Object.keys(byType)])];
  const label = (type) => (type === "" ? t("recommendations.allTypes") : typeName(type));
  const number = (type) => (type === "" ? sumOf(byType, shown.status) : byType[type]?.[shown.status] ?? 0);
  return h(
    "div",
    { className: "stash-sense-types" },
    h(
      Nav,
      { className: "flex-column d-none d-md-flex", "aria-label": t("recommendations.types"), as: "nav" },
      types.map((type) =>
        h(
          Link,
          {
            key: type,
            to: shown.at({ type }),
            className: `stash-sense-type ${type === shown.type ? "active" : ""}`,
            "aria-current": type === shown.type ? "page" : undefined,
          },
          h("span", null, label(type)),
          h(Badge, { variant: number(type) > 0 ? "info" : "secondary" }, count(number(type)))
        )
      )
    ),
    h(
      Form.Control,
      {
        as: "select",
        className: "d-md-none",
        "aria-label": t("recommendations.types"),
        value: shown.type,
        onChange: (event) => history.push(shown.at({ type: event.target.value })),
      },
      types.map((type) => h("option", { key: type, value: type }, `${label(type)} (${count(number(type))})`))
    )
  );
}

function Statuses({ byType, shown }) {
  const counted = shown.type === "" ? byType : { only: byType[shown.type] ?? {} };
  return h(
    "ul",
    { className: "nav nav-pills stash-sense-statuses", "aria-label": t("recommendations.statuses") },
    STATUSES.map((status) =>
      h(
        "li",
        { key: status, className: "nav-item" },
        h(
          Link,
          {
            to: shown.at({ status }),
            className: `nav-link ${status === shown.status ? "active" : ""}`,
            "aria-current": status === shown.status ? "page" : undefined,
          },
          t(`recommendations.status.${status}`),
          " ",
          h(Badge, { variant: "dark" }, count(sumOf(counted, status)))
        )
      )
    )
  );
}

function List({ data, shown, byType, reload }) {
  const history = useHistory();
  const [chosen, setChosen] = useState(() => new Set());
  const rows = data.recommendations;
  const place = useRef(null);
  const here = shown.at({ offset: shown.offset });
  useEffect(() => setChosen(new Set()), [here]);
  // What was decided is not listed any more, and the last page may be empty then.
  useEffect(() => {
    const known = new Set(rows.map(({ id }) => id));
    setChosen((before) => new Set([...before].filter((id) => known.has(id))));
    if (rows.length === 0 && shown.offset > 0) {
      history.replace(shown.at({ offset: Math.max(0, Math.ceil(data.total / PAGE - 1) * PAGE) }));
    }
    // eslint-disable-next-line react-hooks/exhaustive-deps -- follows what was answered
  }, [data]);
  const changed = async () => {
    await reload();
    place.current?.focus();
  };
  const toggle = (id) => {
    const next = new Set(chosen);
    if (!next.delete(id)) next.add(id);
    setChosen(next);
  };
  const isAll = rows.length > 0 && rows.every(({ id }) => chosen.has(id));
  return h(
    "section",
    { ref: place, tabIndex: -1, "aria-label": t("recommendations.list") },
    h(Bulk, {
      type: shown.type,
      status: shown.status,
      pendingCount: byType[shown.type]?.pending ?? 0,
      chosen: rows.filter(({ id }) => chosen.has(id)),
      isAll,
      onChooseAll: () => setChosen(new Set(isAll ? [] : rows.map(({ id }) => id))),
      hasRows: rows.length > 0,
      onChanged: changed,
    }),
    rows.length === 0
      ? h(Empty, null, t(`recommendations.none.${shown.status}`))
      : h("ul", { className: "stash-sense-rows" }, rows.map((row) => h(Row, { key: row.id, row, isChosen: chosen.has(row.id), onToggle: () => toggle(row.id), withType: shown.type === "" }))),
    h(Paging, { offset: shown.offset, limit: PAGE, total: data.total, onChange: (offset) => history.push(shown.at({ offset })) })
  );
}

function Row({ row, isChosen, onToggle, withType }) {
  const confidence = shownConfidence(row);
  return h(
    "li",
    { className: "stash-sense-row" },
    h(Form.Check, {
      type: "checkbox",
      id: `stash-sense-row-${row.id}`,
      checked: isChosen,
      onChange: onToggle,
      "aria-label": t("recommendations.choose", { id: row.id }),
    }),
    h(
      "span",
      { className: "stash-sense-thumbs", "aria-hidden": true },
      picturedIn(row).map(({ kind, id, name }) => h(LibraryPicture, { key: `${kind} ${id}`, kind, id, name }))
    ),
    h(
      "div",
      { className: "stash-sense-row-body" },
      withType && h("div", { className: "stash-sense-quiet" }, typeName(row.type)),
      h(Link, { to: `${PATH}/${row.id}` }, sentenceOf(row)),
      h(
        "div",
        { className: "stash-sense-quiet stash-sense-asides" },
        confidence !== null && h("span", null, t("recommendations.confidence", { share: percent(confidence) })),
        row.details?.high_confidence && h(Badge, { variant: "success" }, t("details.match.sure")),
        row.details?.changes?.some?.((each) => each.is_conflict) && h(Badge, { variant: "warning" }, t("details.upstream.conflict")),
        row.endpoint && h("span", null, boxName(row.endpoint)),
        h("span", { title: when(row.created_at) }, age(row.created_at))
      )
    )
  );
}
