// What a page shows while it waits, when there is nothing, and when something went wrong.
import { Alert, Button, h, ProgressBar, Spinner } from "../host.js";
import { hasText, t } from "../texts.js";

/** A spinner that says what is waited for. */
export function Busy({ label = t("common.loading") }) {
  return h(
    "div",
    { className: "stash-sense-busy", role: "status" },
    h(Spinner, { animation: "border", size: "sm", "aria-hidden": true }),
    h("span", null, label)
  );
}

/** A line for a list in which there is nothing. */
export function Empty({ children = t("common.nothing") }) {
  return h("p", { className: "stash-sense-empty" }, children);
}

/** An error with what can be done about it; nothing where `error` is null. */
export function Problem({ error, onRetry, onClose }) {
  if (!error) return null;
  const hint = `problem.${error.code}.hint`;
  const errors = error.facts?.errors ?? [];
  return h(
    Alert,
    {
      variant: "danger",
      className: "stash-sense-problem",
      dismissible: onClose !== undefined,
      onClose,
    },
    h("p", null, error.message),
    errors.length > 0 &&
      h(
        "ul",
        null,
        errors.map(({ loc = [], msg }, i) =>
          h("li", { key: i }, [...loc.slice(1), msg].join(": "))
        )
      ),
    hasText(hint) && h("p", { className: "stash-sense-quiet" }, t(hint)),
    onRetry && h(Button, { size: "sm", variant: "secondary", onClick: onRetry }, t("common.retry"))
  );
}

/** A bar for `done` of `total`, or one that only moves where the total is not known. */
export function Progress({ done, total, label, text }) {
  const isKnown = total > 0;
  return h(
    "div",
    { className: "stash-sense-progress" },
    h(ProgressBar, {
      now: isKnown ? done : 100,
      max: isKnown ? total : 100,
      animated: !isKnown,
      striped: !isKnown,
      "aria-label": label,
    }),
    h("span", { className: "stash-sense-quiet" }, text ?? (isKnown ? t("common.progress", { done, total }) : label))
  );
}

/**
 * The content of something that is asked for: `h(Asked, { of: useSidecar(...) }, data => ...)`.
 * Shows the spinner, the problem, or what the function makes of the data.
 */
export function Asked({ of, children, label }) {
  const { data, error, isLoading, reload } = of;
  if (data === undefined) {
    return isLoading && !error ? h(Busy, { label }) : h(Problem, { error, onRetry: reload });
  }
  return h("div", { "aria-busy": isLoading }, h(Problem, { error, onRetry: reload }), children(data));
}
