// Shows what an action would do before it is done: a dry run, and then just that.
import { SidecarError } from "../api.js";
import { Alert, h, useEffect, useRef, useState } from "../host.js";
import { ConfirmDialog } from "../parts/dialogs.js";
import { Busy, Problem } from "../parts/feedback.js";
import { useAction } from "../resources.js";
import { t } from "../texts.js";

/**
 * A dialog that dry-runs `mode` with `args` and shows what `describe(plan)` makes of it.
 *
 * Confirmed, the same is asked for in earnest, with the digest of the plan that was shown
 * where it has one: if something else would be done by now, the new plan is shown.
 * `onDone(answer)` after it was done; `refused(error, again)` may say more about a
 * refusal, and have it planned again.
 */
export function PlanDialog({
  title, mode, args, act, describe, confirmLabel, variant = "danger", onClose, onDone,
  isAbout = true, isDestructive = true, refused, children,
}) {
  const { shown, error, isLoading, isNew, replace, again } = usePlan(act, mode, args, isAbout);
  const action = useAction(async () => {
    const asked = isDestructive ? { ...args, confirm: true } : { ...args };
    if (shown.plan_digest) asked.plan_digest = shown.plan_digest;
    try {
      return await act(mode, asked, { isAbout });
    } catch (caught) {
      if (caught.code === "plan_changed" && caught.facts.plan) replace(caught.facts);
      throw caught;
    }
  });
  const problem = error ?? action.error;
  const planAgain = () => {
    action.forget();
    again();
  };
  return h(
    ConfirmDialog,
    {
      title,
      confirmLabel,
      variant,
      size: "lg",
      onClose,
      onDone,
      action,
      isReady: shown !== null && !isLoading && !error,
    },
    children,
    isNew && h(Alert, { variant: "warning", role: "alert" }, t("details.plan.changed")),
    isLoading && h(Busy, { label: t("details.plan.loading") }),
    h(Problem, { error }),
    shown !== null && !error && h("div", { className: "stash-sense-plan", "aria-busy": isLoading }, describe(shown.plan)),
    problem instanceof SidecarError && refused?.(problem, planAgain)
  );
}

/** The plan of a dry run; of the newest one where `args` change while it is asked for. */
function usePlan(act, mode, args, isAbout) {
  const [state, setState] = useState({ shown: null, error: null, isLoading: true, isNew: false });
  const [round, setRound] = useState(0);
  const asked = JSON.stringify(args);
  const latestAct = useRef(act);
  latestAct.current = act;
  useEffect(() => {
    let isOver = false;
    const change = (to) => !isOver && setState((before) => ({ ...before, ...to }));
    change({ error: null, isLoading: true, isNew: false });
    latestAct
      .current(mode, { ...JSON.parse(asked), dry_run: true }, { isAbout })
      .then((shown) => change({ shown, isLoading: false }))
      .catch((error) => change({ error, isLoading: false }));
    return () => {
      isOver = true;
    };
  }, [mode, asked, isAbout, round]);
  const replace = (shown) => setState({ shown, error: null, isLoading: false, isNew: true });
  return { ...state, replace, again: () => setRound(round + 1) };
}
