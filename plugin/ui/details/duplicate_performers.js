// Performers who are one at a stash-box, side by side: who is kept, and who goes into them.
import { count } from "../format.js";
import { Button, Form, h, Table, useState } from "../host.js";
import { Asked } from "../parts/feedback.js";
import { OutsideLink } from "../parts/media.js";
import { t } from "../texts.js";
import { findPerformers, LibraryPicture, StashLink, useFound } from "./library.js";
import { MergeDialog } from "./merge_dialog.js";
import { boxName, boxPage, items } from "./words.js";

/** The group of the recommendation; those who are gone from Stash are left out. */
export function DuplicatePerformers({ recommendation, act, drafts, onDone, canAct }) {
  const { details } = recommendation;
  const ids = items(details.performers).map(({ id }) => String(id));
  const found = useFound(findPerformers, ids);
  const [keeperId, setKeeperId] = useState(drafts.keeperId ?? String(details.suggested_keeper_id ?? ids[0]));
  const [leftOut, setLeftOut] = useState(() => new Set(drafts.leftOut));
  const [isMerging, setIsMerging] = useState(false);
  const keep = (id) => {
    drafts.keeperId = id;
    setKeeperId(id);
  };
  const toggle = (id) => {
    const next = new Set(leftOut);
    if (!next.delete(id)) next.add(id);
    drafts.leftOut = [...next];
    setLeftOut(next);
  };
  return h(Asked, { of: found }, (performers) => {
    const people = ids.map((id) => performers.get(id)).filter(Boolean);
    const keeper = people.find(({ id }) => id === keeperId) ?? people[0];
    const sources = people.filter(({ id }) => id !== keeper?.id && !leftOut.has(id));
    return h(
      "div",
      null,
      h(Comparison, { people, keeper, keep, leftOut, toggle, canAct, endpoint: details.endpoint, stashId: details.stash_id }),
      people.length < ids.length && h("p", { role: "status" }, t("details.merge.missing", { count: ids.length - people.length })),
      canAct &&
        h(
          "div",
          { className: "stash-sense-decide" },
          h(Button, { variant: "danger", disabled: sources.length === 0, onClick: () => setIsMerging(true) }, t("details.merge.preview"))
        ),
      isMerging &&
        h(MergeDialog, {
          keeper,
          sources,
          act,
          onClose: () => setIsMerging(false),
          onDone: (answer) => {
            setIsMerging(false);
            onDone(answer);
          },
        })
    );
  });
}

const sentenceCase = (word) =>
  word && word[0] + word.slice(1).toLocaleLowerCase().replaceAll("_", " ");

const ROWS = [
  ["disambiguation", (each) => each.disambiguation],
  ["aliases", (each) => items(each.alias_list).join(", ")],
  ["gender", (each) => sentenceCase(each.gender)],
  ["birthdate", (each) => each.birthdate],
  ["country", (each) => each.country],
  ["scenes", (each) => count(each.scene_count)],
  ["images", (each) => count(each.image_count)],
  ["galleries", (each) => count(each.gallery_count)],
];

function Comparison({ people, keeper, keep, leftOut, toggle, canAct, endpoint, stashId }) {
  const row = (label, cell) =>
    h("tr", { key: label }, h("th", { scope: "row" }, label), people.map((each) => h("td", { key: each.id }, cell(each))));
  return h(
    "div",
    { className: "stash-sense-compare" },
    h(
      Table,
      { size: "sm" },
      h("caption", { className: "sr-only" }, t("details.merge.caption")),
      h(
        "thead",
        null,
        h(
          "tr",
          null,
          h("td", null),
          people.map((each) =>
            h(
              "th",
              { key: each.id, scope: "col" },
              h(LibraryPicture, { kind: "performer", id: each.id, name: each.name, className: "stash-sense-portrait" }),
              h(StashLink, { kind: "performer", id: each.id, name: each.name })
            )
          )
        )
      ),
      h(
        "tbody",
        null,
        canAct && row(t("details.merge.keep"), (each) => h(KeeperChoice, { each, keeper, keep, leftOut, toggle, isPair: people.length === 2 })),
        ROWS.map(([field, read]) => row(t(`details.merge.row.${field}`), (each) => h("bdi", null, read(each) || "–"))),
        row(t("details.merge.row.ids"), (each) => h(Ids, { each, endpoint, stashId }))
      )
    )
  );
}

function KeeperChoice({ each, keeper, keep, leftOut, toggle, isPair }) {
  const isKeeper = each.id === keeper?.id;
  return h(
    "div",
    null,
    h(Form.Check, {
      type: "radio",
      name: "stash-sense-keeper",
      id: `stash-sense-keeper-${each.id}`,
      label: t("details.merge.keepThis"),
      "aria-label": t("details.merge.keepLabel", { name: each.name }),
      checked: isKeeper,
      onChange: () => keep(each.id),
    }),
    !isKeeper &&
      !isPair &&
      h(Form.Check, {
        type: "checkbox",
        id: `stash-sense-source-${each.id}`,
        label: t("details.merge.include"),
        "aria-label": t("details.merge.includeLabel", { name: each.name }),
        checked: !leftOut.has(each.id),
        onChange: () => toggle(each.id),
      })
  );
}

const Ids = ({ each, endpoint, stashId }) =>
  h(
    "ul",
    { className: "stash-sense-plain" },
    items(each.stash_ids).map((id) =>
      h(
        "li",
        { key: `${id.endpoint} ${id.stash_id}` },
        h(OutsideLink, { href: boxPage(id.endpoint, "performer", id.stash_id) }, boxName(id.endpoint)),
        id.endpoint === endpoint && id.stash_id === stashId && h("strong", null, ` ${t("details.merge.shared")}`)
      )
    )
  );
