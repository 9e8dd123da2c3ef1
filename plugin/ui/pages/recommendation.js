// One recommendation: what is proposed, how it stands, and what to do about it.
import { actingOn, whatIsNew } from "../details/acting.js";
import { DismissDialog } from "../details/dismiss_dialog.js";
import { Neighbours } from "../details/neighbours.js";
import { decisionOf, sentenceOf } from "../details/sentences.js";
import { RecommendationView } from "../details/views.js";
import { shownConfidence, typeName } from "../details/words.js";
import { age, percent, when } from "../format.js";
import { Alert, Badge, Button, h, Link, ROUTE, useEffect, useParams, useRef, useState } from "../host.js";
import { Asked, Problem } from "../parts/feedback.js";
import { useAction, useSidecar } from "../resources.js";
import { hasText, t } from "../texts.js";

const COLOURS = { pending: "info", dismissed: "secondary", resolved: "success" };

/** The page at /recommendations/:id. */
export default function Page() {
  const { id } = useParams();
  // Another one begins anew, with nothing chosen.
  return h(Recommendation, { key: id, id });
}

function Recommendation({ id }) {
  const asked = useSidecar("rec_get", { rec_id: id });
  return h(
    "div",
    { className: "stash-sense-recommendation" },
    h(Asked, { of: asked }, (recommendation) => h(Frame, { recommendation, reload: asked.reload }))
  );
}

/**
 * `before` is how it was when something was refused, and what that was; `outcome` what
 * was done, and has the focus then.
 */
function Frame({ recommendation, reload }) {
  const drafts = useRef({});
  const [stale, setStale] = useState(null);
  const [outcome, setOutcome] = useState(null);
  const [isDismissing, setIsDismissing] = useState(false);
  const act = actingOn(recommendation, (error, isUnsure) => {
    setStale({ error, isUnsure, before: recommendation });
    reload();
  });
  const done = async (text) => {
    setStale(null);
    await reload();
    setOutcome(text);
  };
  const restore = useAction(async () => {
    await act("rec_restore", { rec_id: recommendation.id }, { isAbout: false });
    await done(t("details.outcome.restored"));
  });
  const isPending = recommendation.status === "pending";
  return h(
    "article",
    null,
    h(Neighbours, { recommendation }),
    h("h2", null, typeName(recommendation.type)),
    h("p", { className: "stash-sense-lead" }, sentenceOf(recommendation)),
    h(Standing, { recommendation }),
    stale && h(Stale, { stale, recommendation, onClose: () => setStale(null) }),
    outcome && h(Outcome, { text: outcome, recommendation, onUndo: () => restore.run() }),
    h(Problem, { error: restore.error }),
    h(RecommendationView, {
      recommendation,
      act,
      drafts: drafts.current,
      canAct: isPending,
      onDone: (answer) => done(outcomeText(answer)),
    }),
    h(
      "div",
      { className: "stash-sense-frame-actions" },
      isPending && h(Button, { variant: "secondary", onClick: () => setIsDismissing(true) }, t("details.dismiss.button")),
      recommendation.status === "dismissed" &&
        h(Button, { variant: "secondary", onClick: () => restore.run(), disabled: restore.isBusy }, t("details.restore"))
    ),
    isDismissing &&
      h(DismissDialog, {
        recommendation,
        act,
        onClose: () => setIsDismissing(false),
        onDone: (answer) => {
          setIsDismissing(false);
          done(t(answer.permanent ? "details.outcome.dismissedForGood" : "details.outcome.dismissed"));
        },
      })
  );
}

/** What was done, with what Stash had no place for. */
function outcomeText(answer) {
  const more = [];
  if (answer.not_kept?.length > 0) more.push(t("details.outcome.notKept", { fields: answer.not_kept.join(", ") }));
  if (answer.notes?.length > 0) more.push(...answer.notes);
  if (answer.refused_aliases?.length > 0) {
    more.push(t("details.outcome.refusedAliases", { aliases: answer.refused_aliases.map(({ alias }) => alias).join(", ") }));
  }
  return [t("details.outcome.done"), ...more].join(" ");
}

function Standing({ recommendation }) {
  const { status, created_at: found, updated_at: changed, resolved_at: resolved } = recommendation;
  const confidence = shownConfidence(recommendation);
  const decided = status === "pending" ? null : decisionOf(recommendation);
  const { decided_by: by, dismissal } = recommendation;
  return h(
    "p",
    { className: "stash-sense-standing" },
    h(Badge, { variant: COLOURS[status] ?? "secondary" }, t(`recommendations.status.${status}`)),
    h("span", { title: when(found) }, t("details.found", { age: age(found) })),
    confidence !== null && h("span", null, t("recommendations.confidence", { share: percent(confidence) })),
    decided && h("span", null, decided, " ", when(resolved ?? changed)),
    by && h("span", null, t("details.decidedBy", { name: hasText(`details.way.${by}`) ? t(`details.way.${by}`) : h("bdi", null, by) })),
    dismissal?.permanent && h("span", null, t("details.forGood")),
    dismissal?.reason && h("span", null, t("details.because", { reason: h("bdi", null, dismissal.reason) }))
  );
}

/** Why it could not be decided, and what is new since it was looked at. */
function Stale({ stale: { error, isUnsure, before }, recommendation, onClose }) {
  const news = whatIsNew(before, recommendation);
  const { acted_by: by, action } = error.facts ?? {};
  const place = useFocus();
  return h(
    Alert,
    { variant: "warning", dismissible: true, onClose, ref: place, tabIndex: -1, className: "stash-sense-problem" },
    h("p", null, error.message),
    isUnsure && h("p", null, t("details.news.unsure")),
    by && h("p", null, t("details.news.by", { name: by, action: String(action ?? "") })),
    news.length > 0 && h("ul", null, news.map((each) => h("li", { key: each }, each)))
  );
}

function Outcome({ text, recommendation, onUndo }) {
  const place = useFocus();
  const next = `${ROUTE}/recommendations?type=${encodeURIComponent(recommendation.type)}`;
  return h(
    Alert,
    { variant: "success", role: "status", ref: place, tabIndex: -1 },
    h("p", null, text),
    h(
      "p",
      { className: "stash-sense-quick" },
      h(Neighbours, { recommendation, isNextAlone: true }),
      h(Link, { to: next }, t("details.toList")),
      recommendation.status === "dismissed" && h(Button, { size: "sm", variant: "link", onClick: onUndo }, t("common.undo"))
    )
  );
}

/** A ref of what gets the focus when it is shown. */
function useFocus() {
  const place = useRef(null);
  useEffect(() => place.current?.focus(), []);
  return place;
}
