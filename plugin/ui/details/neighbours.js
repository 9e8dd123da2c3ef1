// The way to the pending ones of the same type before and after one.
import { call } from "../api.js";
import { Button, h, Icon, Link, ROUTE, useHistory, useState } from "../host.js";
import { Problem } from "../parts/feedback.js";
import { useAction } from "../resources.js";
import { t } from "../texts.js";
import { typeName } from "./words.js";

/** Two buttons and the way back to the list; with `isNextAlone` one button. */
export function Neighbours({ recommendation, isNextAlone = false }) {
  const history = useHistory();
  const [end, setEnd] = useState(null);
  const go = useAction(async (step) => {
    const found = await neighbourOf(recommendation, step);
    if (found === null) setEnd(step);
    else history.push(`${ROUTE}/recommendations/${found}`);
  });
  const button = (step, name) =>
    h(
      Button,
      { size: "sm", variant: "secondary", disabled: go.isBusy || end === step, onClick: () => go.run(step) },
      step < 0 && h(Icon, { name: "faChevronLeft" }),
      ` ${t(`details.${name}`)} `,
      step > 0 && h(Icon, { name: "faChevronRight" })
    );
  const status = h("span", { "aria-live": "polite", className: "stash-sense-quiet" }, end !== null && t("details.noMore"));
  if (isNextAlone) return h("span", null, button(1, "next"), " ", status, h(Problem, { error: go.error }));
  const { type } = recommendation;
  return h(
    "nav",
    { className: "stash-sense-neighbours", "aria-label": t("details.neighbours") },
    h(Link, { to: `${ROUTE}/recommendations?type=${encodeURIComponent(type)}` }, t("details.backTo", { type: typeName(type) })),
    status,
    button(-1, "previous"),
    button(1, "next"),
    h(Problem, { error: go.error })
  );
}

/** The id of the pending one that is listed next after (1) or before (-1) it, or null. */
async function neighbourOf({ id, type }, step) {
  const at = async (offset) => {
    const page = await call("rec_list", { type, status: "pending", limit: 1, offset });
    return { total: page.total, id: page.recommendations[0]?.id };
  };
  // Lists are by descending id: the first that is older is where the next one is.
  let [low, high] = [0, (await at(0)).total];
  while (low < high) {
    const middle = Math.floor((low + high) / 2);
    const found = await at(middle);
    if (found.id === undefined || found.id < id) high = middle;
    else low = middle + 1;
  }
  if (step > 0) return (await at(low)).id ?? null;
  // Of those before, the last may be this one.
  for (const place of [low - 1, low - 2]) {
    if (place < 0) return null;
    const found = await at(place);
    if (found.id !== undefined && found.id !== id) return found.id;
  }
  return null;
}
