// Who is in a scene, an image or a gallery: what is known, and asking anew.
import { Alert, Button, h, Icon, Link, ROUTE, useEffect, useMemo, useRef, useState } from "../host.js";
import { call } from "../api.js";
import { when } from "../format.js";
import { Busy, Empty, Problem, Progress } from "../parts/feedback.js";
import { useSidecar } from "../resources.js";
import { t } from "../texts.js";
import { AddAll } from "./add_all.js";
import { Corrections, correctPerson, sentenceOf } from "./correcting.js";
import { FiguresExplained } from "./figures.js";
import { useIdentification } from "./jobs.js";
import { useBoxes, useLocalPerformers, usePerformersIn } from "./library.js";
import { faceKey, peopleOfJob, personKey, personWithFaceOf, toldByJob } from "./people.js";
import { Person, personElementId } from "./person.js";

// What keeps the sidecar from telling anybody's face.
const NOT_READY = new Set([
  "database_not_loaded", "models_not_installed", "wrong_networks", "unloadable_index",
  "insufficient_memory",
]);

/** All that there is to see and do about the people in it; `onSeek` moves the player. */
export function WhoIsIn({ kind, stashId, onSeek }) {
  // Another scene in the same tab is another panel.
  return h(Panel, { key: `${kind}:${stashId}`, kind, stashId, onSeek });
}

function Panel({ kind, stashId, onSeek }) {
  const kept = useKept(kind, stashId);
  const identification = useIdentification(kind, stashId, (job) =>
    job.state === "complete" ? kept.reload() : null
  );
  const said = useNote();
  const page = usePage({ kind, stashId, kept, identification, said, onSeek });
  const { job } = identification;
  return h(
    "div",
    { className: "stash-sense-who-panel" },
    h(Head, { kind, kept: kept.data, identification, isReady: !kept.isAsked }),
    h(NotReady, { identification }),
    job
      ? h(Running, { job, kind, identification })
      : h(Ended, { identification, page }),
    h("p", { ref: said.place, className: "stash-sense-who-note", role: "status", tabIndex: -1 }, said.text),
    h(Problem, { error: kept.error, onRetry: kept.reload }),
    h(Problem, { error: page.libraryError }),
    h(People, { kept, page, job })
  );
}

/** What is kept, or null where nothing is; after a correction, what that answered. */
function useKept(kind, stashId) {
  const asked = useSidecar("kept_people", { kind, stash_id: stashId });
  const [later, setLater] = useState(null);
  useEffect(() => setLater(null), [asked.data]);
  const isNothing = asked.error?.status === 404;
  return {
    data: isNothing ? null : later ?? asked.data,
    isAsked: asked.isLoading && asked.data === undefined && !asked.error,
    error: isNothing ? null : asked.error,
    reload: asked.reload,
    replace: (fingerprint) => fingerprint && setLater(fingerprint),
  };
}

/** A line that tells what was done, and where the focus goes after it. */
function useNote() {
  const [text, setText] = useState("");
  const place = useRef(null);
  // After dialogs have given the focus back to a button that may be gone.
  const focus = (id) =>
    setTimeout(() => (document.getElementById(id) ?? place.current)?.focus(), 0);
  return { text, place, say: setText, focus };
}

/** What the parts need of everything around them, and what they may do with it. */
function usePage({ kind, stashId, kept, identification, said, onSeek }) {
  const { job, ended } = identification;
  const told = useMemo(() => toldByJob(ended), [ended]);
  const live = job ? peopleOfJob({ kind, ...job }) : [];
  const unsaved = ended?.result?.fingerprint_saved === false ? peopleOfJob(ended) : [];
  const isLive = live.length > 0;
  const people = isLive ? live : unsaved.length > 0 ? unsaved : kept.data?.persons ?? [];
  const inIt = usePerformersIn(kind, stashId);
  const boxes = useBoxes();
  const library = useLocalPerformers(isLive ? [] : idsOf(people));
  const corrections = useSidecar(
    "corrections_list", { kind, stash_id: stashId, limit: 100 }, { isWanted: Boolean(kept.data) }
  );
  const page = {
    kind, stashId, onSeek, people, boxes, isLive, corrections,
    isKept: !isLive && unsaved.length === 0 && Boolean(kept.data),
    imageIds: kept.data?.image_ids ?? [],
    performersIn: inIt.ids,
    locals: library.locals,
    areLocalsKnown: library.isKnown,
    libraryError: inIt.error ?? library.error,
    ...useCrops(told.crops),
    extras: told.extras,
    done: (text, person) => {
      said.say(text);
      said.focus(person && personElementId(person));
    },
  };
  const heeded = async (answer, text, person) => {
    kept.replace(answer.fingerprint);
    await corrections.reload();
    const still = person && personWithFaceOf(person, answer.fingerprint?.persons ?? []);
    page.done(answer.is_in_effect ? text : `${text} ${t("who.notInEffect")}`, still);
    return true;
  };
  page.correct = async (person, verdict, who) => {
    const answer = await correctPerson(page, person, verdict, who, (now) => {
      kept.replace(now);
      page.done(t("who.changedMeanwhile"));
    });
    return answer === null || heeded(answer, sentenceOf(answer.correction), person);
  };
  page.undo = async (correction) =>
    heeded(
      await call("correction_undo", { correction_id: correction.id }),
      t("who.takenBack", { what: sentenceOf(correction) })
    );
  return page;
}

/** Pictures by the key of a face: whoever it is taken for next, it need not be cut out anew. */
function useCrops(ofJob) {
  const kept = useRef(new Map());
  const crops = new Map([...kept.current, ...ofJob]);
  const keepCrop = (person, picture) =>
    person.faces.forEach((face) => kept.current.set(faceKey(face), picture));
  return { crops, keepCrop };
}

const idsOf = (people) =>
  people.flatMap(({ best_match, all_matches = [] }) =>
    [best_match, ...all_matches].filter(Boolean).map(({ universal_id }) => universal_id)
  );

/** What is known at all, and the button that asks. */
function Head({ kind, kept, identification, isReady }) {
  const { job, begin } = identification;
  const isNew = !kept;
  return h(
    "div",
    { className: "stash-sense-who-head" },
    kept
      && h(
        "p",
        { className: "stash-sense-quiet" },
        t("who.keptSince", {
          kind, when: when(kept.seen_at), version: kept.database_version || "–",
          frames: kept.frames_analyzed, people: kept.persons.length,
        }),
        kept.state === "pending" && ` ${t("who.pending")}`
      ),
    !job
      && h(
        Button,
        {
          variant: isNew ? "primary" : "secondary",
          onClick: () => begin.run(),
          disabled: begin.isBusy || !isReady,
          "aria-busy": begin.isBusy,
        },
        h(Icon, { name: "faIdBadge" }),
        " ",
        t(isNew ? "who.identify" : "who.identifyAgain")
      ),
    !job && begin.error && !NOT_READY.has(begin.error.code)
      && h(Problem, { error: begin.error, onRetry: () => begin.run(), onClose: begin.forget })
  );
}

/** A notice where the sidecar has nothing to tell faces by. */
function NotReady({ identification: { begin, ended } }) {
  const health = useSidecar("health");
  const isEmpty = health.data?.database_loaded === false
    && !health.data.is_unloaded && !health.data.is_loading;
  const refusal = [begin.error, ended].find((each) => each && NOT_READY.has(each.code));
  if (!isEmpty && refusal === undefined) return null;
  const reason = refusal?.message ?? refusal?.error;
  return h(
    Alert,
    { variant: "warning", className: "stash-sense-problem" },
    h("p", null, t("who.notReady")),
    reason && h("p", { className: "stash-sense-quiet" }, reason),
    h(Link, { to: `${ROUTE}/settings` }, t("who.toSettings"))
  );
}

function Running({ job, kind, identification: { cancel, error } }) {
  const { frames_done: done = 0, frames_asked: asked = 0 } = job;
  const label = t(job.state === "queued" ? "who.queued" : "who.looking");
  return h(
    "div",
    { className: "stash-sense-who-running" },
    h("p", { role: "status", className: "mb-1" }, label),
    h(Progress, {
      done,
      total: asked,
      label,
      text: asked > 0 ? t("who.framesDone", { kind, done, total: asked }) : t("who.begins"),
    }),
    h(
      Button,
      { size: "sm", variant: "secondary", onClick: () => cancel.run(), disabled: cancel.isBusy, "aria-busy": cancel.isBusy },
      t("common.cancel")
    ),
    h(Problem, { error: cancel.error, onClose: cancel.forget }),
    // It goes on there; it is asked about again and again.
    error && h(Problem, { error })
  );
}

/** How the last identification of this visit ended. */
function Ended({ identification: { ended, begin } }) {
  if (ended === null) return null;
  const { state, error, code, result } = ended;
  if (NOT_READY.has(code)) return null;
  if (state === "failed") {
    return h(Problem, { error: { message: error, code }, onRetry: () => begin.run() });
  }
  if (state !== "complete") {
    return h(
      Alert,
      { variant: state === "cancelled" ? "info" : "warning", className: "stash-sense-problem" },
      h("p", null, t(`who.ended.${state}`)),
      state === "interrupted"
        && h(Button, { size: "sm", variant: "secondary", onClick: () => begin.run() }, t("common.retry"))
    );
  }
  const errors = result?.errors ?? [];
  return [
    h("p", { key: "done", role: "status", className: "sr-only" }, t("who.ended.complete")),
    result?.fingerprint_saved === false
      && h(Alert, { key: "unsaved", variant: "warning" }, t("who.notSaved", { error: result.fingerprint_error ?? "" })),
    errors.length > 0
      && h(
        "details",
        { key: "errors", className: "stash-sense-quiet" },
        h("summary", null, t("who.someFailed", { count: errors.length })),
        h("ul", null, errors.map((each, i) => h("li", { key: i }, each)))
      ),
  ];
}

function People({ kept, page, job }) {
  if (kept.isAsked) return h(Busy);
  const { people } = page;
  if (!page.isLive && kept.data === null && people.length === 0) {
    return job ? null : h(Empty, null, t("who.nothingKept", { kind: page.kind }));
  }
  if (people.length === 0) return kept.data && !job ? h(Empty, null, t("who.nobody", { kind: page.kind })) : null;
  return [
    h("div", { key: "all", className: "stash-sense-who-head" }, !page.isLive && h(AddAll, { people, page })),
    page.isLive && h("p", { key: "live", className: "stash-sense-quiet" }, t("who.soFar")),
    h(
      "ul",
      { key: "people", className: "stash-sense-who-people", "aria-label": t("who.people"), "aria-busy": Boolean(job) },
      people.map((person, i) => h(Person, { key: keyOf(person, page, i), person, page }))
    ),
    !page.isLive && h(FiguresExplained, { key: "figures" }),
    page.isKept && h(Corrections, { key: "corrections", list: page.corrections, page }),
  ];
}

// Faces of people who may still change come and go: their place is all that stays.
const keyOf = (person, page, place) =>
  page.isLive ? `live-${place}` : `${personKey(person)}-${person.person_id}`;
