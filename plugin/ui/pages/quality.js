// How good names are on this library: figures and plots of the latest evaluation.
import { Button, Form, h, useEffect, useState } from "../host.js";
import { when } from "../format.js";
import { call } from "../api.js";
import { Adopt } from "../quality/adopt.js";
import { Disagreements } from "../quality/disagreements.js";
import { Figures } from "../quality/figures.js";
import { Busy, Empty, Problem } from "../parts/feedback.js";
import { useAction, useSidecar } from "../resources.js";
import { t, textOr } from "../texts.js";

const EVERY_MS = 3000;
const GOING = ["queued", "running"];
const NOTHING_YET = 404;
const DEFAULT_MODE = "template";

export default function QualityPage() {
  const [every, setEvery] = useState(0);
  const evaluation = useSidecar("evaluation", {}, { every });
  const isGoing = GOING.includes(evaluation.data?.state);
  useEffect(() => setEvery(isGoing ? EVERY_MS : 0), [isGoing]);
  const isNone = evaluation.error?.status === NOTHING_YET;
  return h(
    "div",
    { className: "stash-sense-quality" },
    h("h2", null, t("nav.quality")),
    h("p", { className: "stash-sense-quiet" }, t("quality.hint")),
    h(Begin, { isGoing, onChanged: evaluation.reload }),
    isNone && h(Empty, null, t("quality.none")),
    !isNone && h(Problem, { error: evaluation.error, onRetry: evaluation.reload }),
    evaluation.isLoading && evaluation.data === undefined && !evaluation.error && h(Busy),
    evaluation.data && h(Report, { report: evaluation.data, onChanged: evaluation.reload })
  );
}

function Begin({ isGoing, onChanged }) {
  const [sample, setSample] = useState("200");
  const [mayDecode, setMayDecode] = useState(false);
  const begin = useAction(async () => {
    await call("evaluation_start", { sample: Number(sample), decode_missing: mayDecode });
    await onChanged();
    return true;
  });
  const stop = useAction(async () => {
    await call("evaluation_stop");
    await onChanged();
    return true;
  });
  const submit = (event) => {
    event.preventDefault();
    begin.run();
  };
  return h(
    Form,
    { onSubmit: submit },
    h("div", { className: "stash-sense-buttons" },
      h("label", { htmlFor: "stash-sense-sample" }, t("quality.sample")),
      h(Form.Control, {
        id: "stash-sense-sample",
        type: "number",
        size: "sm",
        min: 1,
        required: true,
        value: sample,
        onChange: (event) => setSample(event.target.value),
      }),
      h(Form.Check, {
        id: "stash-sense-decode",
        type: "checkbox",
        label: t("quality.decode"),
        checked: mayDecode,
        onChange: (event) => setMayDecode(event.target.checked),
      }),
      isGoing
        ? h(Button, { size: "sm", variant: "secondary", disabled: stop.isBusy, onClick: () => stop.run() }, t("common.stop"))
        : h(Button, { size: "sm", type: "submit", disabled: begin.isBusy }, t("quality.begin"))
    ),
    h(Problem, { error: begin.error, onClose: begin.forget }),
    h(Problem, { error: stop.error, onClose: stop.forget })
  );
}

function Report({ report, onChanged }) {
  const isGoing = GOING.includes(report.state);
  const counts = Object.entries(report.item_counts)
    .map(([kind, number]) => t(`quality.items.${kind}`, { count: number }))
    .join(", ");
  // That of scenes by default first.
  const modes = [...report.modes].sort((one, other) => (other.mode === DEFAULT_MODE) - (one.mode === DEFAULT_MODE));
  return h(
    "div",
    null,
    h("p", { role: "status" },
      textOr(`quality.state.${report.state}`, report.state), ". ",
      t("quality.about", { release: report.release_version, when: when(report.created_at), counts: counts || "–" }),
      isGoing && ` ${t("quality.pending", { count: report.pending_count })}`),
    report.waiting_for && h("p", { className: "stash-sense-quiet" }, report.waiting_for),
    report.error && h(Problem, { error: { message: report.error, code: report.error_code } }),
    report.skipped.length > 0 && h(Skipped, { skipped: report.skipped }),
    modes.length > 0 && [
      h(Figures, { key: "figures", modes }),
      h(Adopt, { key: "adopt", modes, onChanged }),
      // Asked for anew whenever more was looked at.
      h(Disagreements, { key: `${report.created_at} ${report.state} ${report.pending_count}`, onChanged }),
    ]
  );
}

function Skipped({ skipped }) {
  return h(
    "details",
    null,
    h("summary", null, t("quality.skipped", { count: skipped.length })),
    h("ul", null, skipped.map((one, i) =>
      h("li", { key: i }, t(`operations.${one.kind}`, { id: one.stash_id }), ": ", one.reason)))
  );
}
