// What the owner says of people, and takes back.
import { Button, h, useState } from "../host.js";
import { call } from "../api.js";
import { when } from "../format.js";
import { ConfirmDialog } from "../parts/dialogs.js";
import { Problem } from "../parts/feedback.js";
import { PerformerSearch } from "../parts/performer_search.js";
import { useAction } from "../resources.js";
import { t } from "../texts.js";
import { ActButton } from "./acting.js";
import { Choices } from "./choice.js";
import { isSamePerson } from "./people.js";

/**
 * Say something of a person; what the sidecar answers. Their number counts for one match
 * only: where it is not theirs any more nothing is said, `onChanged` gets what is kept now,
 * and null comes back.
 */
export async function correctPerson({ kind, stashId }, person, verdict, who, onChanged) {
  const now = await call("kept_people", { kind, stash_id: stashId });
  const there = now.persons.find(({ person_id }) => person_id === person.person_id);
  if (!isSamePerson(there, person)) {
    onChanged(now);
    return null;
  }
  return call("correct", {
    kind, stash_id: stashId, person_id: person.person_id, verdict, ...who,
  });
}

/** What a correction says, as a sentence. */
export const sentenceOf = ({ verdict, name, universal_id }) =>
  t(`who.said.${verdict}`, { name: name ?? universal_id ?? "" });

/** Buttons below a person: not them, this is ..., nobody. */
export function Correcting({ person, subject, candidates, page, name }) {
  const [isNaming, setIsNaming] = useState(false);
  const say = useAction((verdict, who) => page.correct(person, verdict, who));
  return h(
    "div",
    { className: "stash-sense-who-correcting" },
    h(
      "div",
      { className: "stash-sense-who-buttons" },
      subject
        && h(ActButton, {
          icon: "faTimes", isBusy: say.isBusy, about: subject.name,
          onClick: () => say.run("reject", { universal_id: subject.universalId }),
        }, t("who.reject")),
      h(ActButton, { icon: "faUserTag", isBusy: say.isBusy, onClick: () => setIsNaming(true), about: name }, t("who.nameThem")),
      person.decision !== "ignored"
        && h(ActButton, { icon: "faEyeSlash", isBusy: say.isBusy, onClick: () => say.run("ignore", {}), about: name }, t("who.ignore"))
    ),
    h(Problem, { error: say.error, onClose: say.forget }),
    isNaming && h(NameDialog, { person, candidates, page, onClose: () => setIsNaming(false) })
  );
}

function NameDialog({ person, candidates, page, onClose }) {
  const [proposed, setProposed] = useState(null);
  const [found, setFound] = useState(null);
  const name = useAction(() =>
    page.correct(
      person,
      "name",
      found ? { local_performer_id: found.id } : { universal_id: proposed.universalId }
    )
  );
  return h(
    ConfirmDialog,
    {
      title: t("who.nameTitle"),
      confirmLabel: t("who.nameConfirm"),
      action: name,
      onClose,
      isReady: proposed !== null || found !== null,
    },
    candidates.length > 0
      && h(Choices, {
        candidates,
        chosen: proposed,
        locals: page.locals,
        onChoose: (candidate) => {
          setProposed(candidate);
          setFound(null);
        },
      }),
    h(PerformerSearch, {
      label: t("who.searchLabel"),
      chosen: found,
      onChoose: (performer) => {
        setFound(performer);
        if (performer) setProposed(null);
      },
    })
  );
}

/** What was said of the people of this scene, image or gallery, with a way back. */
export function Corrections({ list, page }) {
  const all = list.data?.corrections ?? [];
  const holding = all.filter(({ undone_at }) => !undone_at);
  const undone = all.filter(({ undone_at }) => undone_at);
  if (all.length === 0) return h(Problem, { error: list.error, onRetry: list.reload });
  return h(
    "section",
    { className: "stash-sense-who-corrections" },
    h("h3", { className: "h6" }, t("who.corrections")),
    h(Problem, { error: list.error, onRetry: list.reload }),
    h("ul", null, holding.map((each) => h(Correction, { key: each.id, correction: each, page }))),
    undone.length > 0
      && h(
        "details",
        { className: "stash-sense-quiet" },
        h("summary", null, t("who.undone", { count: undone.length })),
        h(
          "ul",
          null,
          undone.map((each) =>
            h("li", { key: each.id }, h("bdi", null, sentenceOf(each)), " ",
              t("who.undoneBy", { who: each.undone_by ?? "–", when: when(each.undone_at) }))
          )
        )
      )
  );
}

function Correction({ correction, page }) {
  const undo = useAction(() => page.undo(correction));
  return h(
    "li",
    null,
    h("bdi", null, sentenceOf(correction)),
    " ",
    h("span", { className: "stash-sense-quiet" },
      t("who.saidBy", { who: correction.made_by, when: when(correction.made_at) })),
    " ",
    h(
      Button,
      { size: "sm", variant: "secondary", disabled: undo.isBusy, onClick: () => undo.run() },
      t("common.undo"),
      h("span", { className: "sr-only" }, `: ${sentenceOf(correction)}`)
    ),
    h(Problem, { error: undo.error, onClose: undo.forget })
  );
}
