// Performers who are one at a stash-box, side by side: who is kept, and who goes into them.
import { count } from "../format.js";
import { Button, Form, h, useState } from "../host.js";
import { Asked } from "../parts/feedback.js";
import { OutsideLink } from "../parts/media.js";
import { t } from "../texts.js";
import { Comparison, KeeperRadio, useKeeper, useLeftOut } from "./comparison.js";
import { findPerformers, useFound } from "./library.js";
import { MergeDialog } from "./merge_dialog.js";
import { boxName, boxPage, items } from "./words.js";

/** The group of the recommendation; those who are gone from Stash are left out. */
export function DuplicatePerformers({ recommendation, act, drafts, onDone, canAct }) {
  const { details } = recommendation;
  const ids = items(details.performers).map(({ id }) => String(id));
  const found = useFound(findPerformers, ids);
  const [keeperId, keep] = useKeeper(drafts, String(details.suggested_keeper_id ?? ids[0]));
  const [leftOut, toggle] = useLeftOut(drafts);
  const [isMerging, setIsMerging] = useState(false);
  return h(Asked, { of: found }, (performers) => {
    const people = ids.map((id) => performers.get(id)).filter(Boolean);
    const keeper = people.find(({ id }) => id === keeperId) ?? people[0];
    const sources = people.filter(({ id }) => id !== keeper?.id && !leftOut.has(id));
    return h(
      "div",
      null,
      h(Comparison, {
        kind: "performer",
        caption: t("details.merge.caption"),
        compared: people,
        nameOf: ({ name }) => name,
        pictureClass: "stash-sense-portrait",
        rows: [
          ...(canAct ? [[t("details.merge.keep"), (each) => h(KeeperChoice, { each, keeper, keep, leftOut, toggle, isPair: people.length === 2 })]] : []),
          ...ROWS.map(([field, read]) => [t(`details.merge.row.${field}`), (each) => h("bdi", null, read(each) || "–")]),
          [t("details.merge.row.ids"), (each) => h(Ids, { each, endpoint: details.endpoint, stashId: details.stash_id })],
        ],
      }),
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

function KeeperChoice({ each, keeper, keep, leftOut, toggle, isPair }) {
  return h(
    "div",
    null,
    h(KeeperRadio, { id: each.id, name: each.name, keeperId: keeper?.id, keep }),
    each.id !== keeper?.id &&
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
