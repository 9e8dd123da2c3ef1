// Doing something with several recommendations in turn: shown before, and it can be stopped.
import { sentenceOf } from "../details/sentences.js";
import { Alert, Badge, Button, h, useEffect, useRef, useState } from "../host.js";
import { Dialog } from "../parts/dialogs.js";
import { Progress } from "../parts/feedback.js";
import { t } from "../texts.js";

const COLOURS = { ready: "info", done: "success", look: "warning", failed: "danger", waiting: "secondary" };
const [PREPARING, READY, WORKING, ENDED] = ["preparing", "ready", "working", "ended"];

/**
 * `work.prepare(row)` tells what would be done, `work.doOne(row, prepared)` does it; what
 * throws is left as it is, with the reason. `onDone()` when it is closed after all.
 */
export function OneByOneDialog({ rows, work, onClose, onDone }) {
  const [all] = useState(rows);
  const { phase, states, begin, stop } = useTurns(all, work);
  const done = all.filter(({ id }) => ["done", "failed"].includes(states[id]?.state)).length;
  const willBe = all.filter(({ id }) => states[id]?.state === "ready").length;
  const prepared = all.filter(({ id }) => states[id] !== undefined).length;
  const close = () => (phase === ENDED ? onDone() : onClose());
  const text = (name, values) => t(`recommendations.turns.${name}`, values);
  return h(
    Dialog,
    {
      title: t(`recommendations.bulk.${work.name}`, { count: all.length }),
      size: "lg",
      isBusy: phase === WORKING,
      onClose: close,
      footer: [
        phase === WORKING && h(Button, { key: "stop", variant: "secondary", onClick: stop }, t("common.stop")),
        phase !== WORKING && h(Button, { key: "close", variant: "secondary", onClick: close }, t(phase === ENDED ? "common.close" : "common.cancel")),
        phase === READY &&
          h(Button, { key: "go", variant: work.variant, disabled: willBe === 0, onClick: begin }, text("go", { count: willBe })),
      ].filter(Boolean),
    },
    phase === PREPARING && h(Progress, { done: prepared, total: all.length, label: text("preparing") }),
    phase === WORKING && h(Progress, { done, total: done + willBe, label: text("working") }),
    phase === ENDED && h(Ended, { all, states }),
    h("ul", { className: "stash-sense-turns" }, all.map((row) => h(Turn, { key: row.id, row, turn: states[row.id] ?? { state: "waiting" } })))
  );
}

function Ended({ all, states }) {
  const place = useRef(null);
  useEffect(() => place.current.focus(), []);
  const number = (state) => all.filter(({ id }) => states[id]?.state === state).length;
  const values = { done: number("done"), failed: number("failed"), look: number("look"), left: number("ready") };
  return h(
    Alert,
    { variant: values.failed > 0 ? "warning" : "success", role: "status", tabIndex: -1, ref: place },
    t("recommendations.turns.ended", values)
  );
}

const Turn = ({ row, turn }) =>
  h(
    "li",
    null,
    h(Badge, { variant: COLOURS[turn.state] }, t(`recommendations.turns.${turn.state}`)),
    " ",
    sentenceOf(row),
    turn.error && h("p", { className: "text-warning" }, turn.error.message),
    turn.prepared?.shown && turn.state !== "done" && h("details", { open: true }, h("summary", null, t("recommendations.turns.plan")), turn.prepared.shown)
  );

/** How far it is with each row: `{ state, prepared, error }` by id. */
function useTurns(rows, work) {
  const [phase, setPhase] = useState(work.prepare ? PREPARING : READY);
  const [states, setStates] = useState(() =>
    work.prepare ? {} : Object.fromEntries(rows.map(({ id }) => [id, { state: "ready" }]))
  );
  const isStopped = useRef(false);
  const set = (id, turn) => setStates((before) => ({ ...before, [id]: { ...before[id], ...turn } }));
  const failed = (error) => ({ state: error.code === "needs_a_look" ? "look" : "failed", error });
  useEffect(() => {
    let isOver = false;
    const prepareAll = async () => {
      for (const row of rows) {
        let turn;
        try {
          turn = { state: "ready", prepared: await work.prepare(row) };
        } catch (error) {
          turn = failed(error);
        }
        if (isOver) return;
        set(row.id, turn);
      }
      setPhase(READY);
    };
    if (work.prepare) prepareAll();
    return () => {
      isOver = true;
      isStopped.current = true;
    };
    // eslint-disable-next-line react-hooks/exhaustive-deps -- begun once, with what was chosen then
  }, []);
  const begin = async () => {
    setPhase(WORKING);
    for (const row of rows) {
      if (isStopped.current) break;
      if (states[row.id]?.state !== "ready") continue;
      try {
        await work.doOne(row, states[row.id].prepared);
        set(row.id, { state: "done" });
      } catch (error) {
        set(row.id, failed(error));
      }
    }
    setPhase(ENDED);
  };
  return {
    phase,
    states,
    begin,
    stop: () => {
      isStopped.current = true;
    },
  };
}
