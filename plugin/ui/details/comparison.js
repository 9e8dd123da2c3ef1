// Rows of the library that may be one, side by side: which is kept, and which are left out.
import { Form, h, Table, useState } from "../host.js";
import { t } from "../texts.js";
import { LibraryPicture, StashLink } from "./library.js";

/** Which one is kept, and what chooses it; remembered in `drafts`. */
export function useKeeper(drafts, first) {
  const [keeperId, setKeeperId] = useState(drafts.keeperId ?? first);
  const keep = (id) => {
    drafts.keeperId = id;
    setKeeperId(id);
  };
  return [keeperId, keep];
}

/** Which ones nothing happens to, and what puts one among them or takes it out again. */
export function useLeftOut(drafts) {
  const [leftOut, setLeftOut] = useState(() => new Set(drafts.leftOut));
  const toggle = (id) => {
    const next = new Set(leftOut);
    if (!next.delete(id)) next.add(id);
    drafts.leftOut = [...next];
    setLeftOut(next);
  };
  return [leftOut, toggle];
}

/** The choice of the one that is called `name`. */
export const KeeperRadio = ({ id, name, keeperId, keep }) =>
  h(Form.Check, {
    type: "radio",
    name: "stash-sense-keeper",
    id: `stash-sense-keeper-${id}`,
    label: t("details.merge.keepThis"),
    "aria-label": t("details.merge.keepLabel", { name }),
    checked: id === keeperId,
    onChange: () => keep(id),
  });

/** A column for each; `rows` are pairs of a label and what shows its cell of one. */
export function Comparison({ kind, caption, compared, nameOf, pictureClass, rows }) {
  return h(
    "div",
    { className: "stash-sense-compare" },
    h(
      Table,
      { size: "sm" },
      h("caption", { className: "sr-only" }, caption),
      h(
        "thead",
        null,
        h(
          "tr",
          null,
          h("td", null),
          compared.map((each) =>
            h(
              "th",
              { key: each.id, scope: "col" },
              h(LibraryPicture, { kind, id: each.id, name: nameOf(each), className: pictureClass }),
              h(StashLink, { kind, id: each.id, name: nameOf(each) })
            )
          )
        )
      ),
      h(
        "tbody",
        null,
        rows.map(([label, cell]) =>
          h(
            "tr",
            { key: label },
            h("th", { scope: "row" }, label),
            compared.map((each) => h("td", { key: each.id }, cell(each) || "–"))
          )
        )
      )
    )
  );
}
