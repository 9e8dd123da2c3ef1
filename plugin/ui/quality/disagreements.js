// Names that nobody has tagged: are they right and the tag is missing, or wrong?
import { Button, ButtonGroup, h, Link, useState } from "../host.js";
import { percent } from "../format.js";
import { call } from "../api.js";
import { Asked, Empty, Problem } from "../parts/feedback.js";
import { FaceCrop } from "../parts/media.js";
import { Paging } from "../parts/paging.js";
import { useAction, useSidecar } from "../resources.js";
import { stashPage } from "../stash.js";
import { t } from "../texts.js";

const PAGE_SIZE = 12;
const VERDICTS = ["tag_missing", "name_wrong", "cannot_tell"];

export function Disagreements({ onChanged }) {
  const [offset, setOffset] = useState(0);
  const list = useSidecar("evaluation_disagreements", { limit: PAGE_SIZE, offset });
  const say = useAction(async (one, verdict) => {
    await call("evaluation_judge", {
      kind: one.kind,
      stash_id: Number(one.stash_id),
      universal_id: one.universal_id,
      verdict: one.verdict === verdict ? null : verdict,
    });
    await Promise.all([list.reload(), onChanged()]);
    return true;
  });
  return h(
    "section",
    null,
    h("h3", null, t("quality.disagreements")),
    h("p", { className: "stash-sense-quiet" }, t("quality.disagreementsHint")),
    h(Problem, { error: say.error, onClose: say.forget }),
    h(Asked, { of: list }, ({ disagreements, total }) =>
      disagreements.length === 0
        ? h(Empty, null, t("quality.noDisagreements"))
        : h(
            "div",
            null,
            h("ul", { className: "stash-sense-reviews" }, disagreements.map((one) =>
              h(Disagreement, { key: `${one.kind} ${one.stash_id} ${one.universal_id}`, one, say }))),
            h(Paging, { offset, limit: PAGE_SIZE, total, onChange: setOffset })
          ))
  );
}

function Disagreement({ one, say }) {
  // The face lies below the item's number: /identify/evaluation/crops/NUMBER?...
  const itemId = Number(/\/crops\/(\d+)/.exec(one.crop_path)?.[1]);
  return h(
    "li",
    null,
    h(FaceCrop, { mode: "evaluation_crop", args: { item_id: itemId, universal_id: one.universal_id } }),
    h(
      "div",
      null,
      h("p", null,
        h("strong", null, h("bdi", null, one.name)), " ", percent(one.confidence), " · ",
        h(Link, { to: stashPage(one.kind, one.stash_id) },
          h("bdi", null, one.title || t(`operations.${one.kind}`, { id: one.stash_id })))),
      one.tagged.length > 0 &&
        h("p", { className: "stash-sense-quiet" }, t("quality.tagged", { names: one.tagged.join(", ") })),
      h(
        ButtonGroup,
        { size: "sm", "aria-label": t("quality.verdictOf", { name: one.name }) },
        VERDICTS.map((verdict) =>
          h(
            Button,
            {
              key: verdict,
              variant: one.verdict === verdict ? "primary" : "secondary",
              "aria-pressed": one.verdict === verdict,
              disabled: say.isBusy,
              onClick: () => say.run(one, verdict),
            },
            t(`quality.verdict.${verdict}`)
          ))
      )
    )
  );
}
