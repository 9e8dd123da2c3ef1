// Moving through lists that the sidecar hands out a page at a time.
import { Button, h, Icon } from "../host.js";
import { count } from "../format.js";
import { t } from "../texts.js";

/** Two buttons and where one is; nothing where one page is all. */
export function Paging({ offset, limit, total, onChange }) {
  if (total <= limit && offset === 0) return null;
  const last = Math.min(offset + limit, total);
  return h(
    "nav",
    { className: "stash-sense-paging", "aria-label": t("common.pages") },
    h(
      Button,
      { variant: "secondary", size: "sm", disabled: offset === 0, onClick: () => onChange(Math.max(0, offset - limit)) },
      h(Icon, { name: "faChevronLeft" }),
      h("span", { className: "sr-only" }, t("common.previous"))
    ),
    h(
      "span",
      { "aria-live": "polite" },
      t("common.page", { first: count(Math.min(offset + 1, total)), last: count(last), total: count(total) })
    ),
    h(
      Button,
      { variant: "secondary", size: "sm", disabled: last >= total, onClick: () => onChange(offset + limit) },
      h(Icon, { name: "faChevronRight" }),
      h("span", { className: "sr-only" }, t("common.next"))
    )
  );
}
