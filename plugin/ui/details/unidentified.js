// People recognised in a scene who are not tagged there: whom to add, all at once.
import { moment, percent } from "../format.js";
import { Button, h, Link, useState } from "../host.js";
import { FaceCrop } from "../parts/media.js";
import { useSidecar } from "../resources.js";
import { stashPage } from "../stash.js";
import { t } from "../texts.js";
import { changesSomething, CREATE, EntityChoice, firstPick, isDecided, LEAVE, settle, settlingText } from "./adding.js";
import { LibraryPicture, StashLink } from "./library.js";
import { PlanDialog } from "./plan_dialog.js";
import { Said } from "./plan_words.js";
import { items, listed, named, sceneTitle } from "./words.js";

const MOST_MOMENTS = 5;

/** Everybody proposed, with a choice for each. */
export function UnidentifiedScene({ recommendation, act, drafts, onDone, canAct }) {
  const { details, target_id: target } = recommendation;
  const sceneId = details.scene_id ?? target;
  const kept = useSidecar("kept_people", { kind: "scene", stash_id: sceneId });
  const [choices, setChoices] = useState(() => drafts.choices ?? {});
  const [isShown, setIsShown] = useState(false);
  const people = items(details.people).map((person) => ({ person, entity: entityOf(person) }));
  const choiceOf = ({ person, entity }) => choices[person.universal_id] ?? firstPick(entity);
  const choose = (more) => {
    drafts.choices = { ...drafts.choices, ...more };
    setChoices(drafts.choices);
  };
  const chosen = people.filter((each) => ![LEAVE].includes(choiceOf(each).pick));
  const undecided = people.filter((each) => !isDecided(choiceOf(each)));
  const isReady = undecided.length === 0 && chosen.length > 0;
  return h(
    "div",
    null,
    h(Scene, { details, sceneId }),
    h(
      "ul",
      { className: "stash-sense-plain" },
      people.map((each) =>
        h("li", { key: each.person.universal_id }, h(Person, { ...each, sceneId, crops: items(kept.data?.persons), choice: choiceOf(each), canAct, onChoose: (choice) => choose({ [each.person.universal_id]: choice }) }))
      )
    ),
    h(Others, { details }),
    canAct &&
      h(
        "div",
        { className: "stash-sense-decide" },
        undecided.some(({ entity, person }) => entity.id && person.endpoint) &&
          h(
            Button,
            {
              variant: "secondary",
              onClick: () => choose(Object.fromEntries(undecided.filter(({ person }) => person.endpoint).map(({ person }) => [person.universal_id, { pick: CREATE }]))),
            },
            t("details.people.createAll")
          ),
        undecided.length > 0 && h("p", { id: "stash-sense-undecided" }, t("details.upstream.undecided")),
        h(Button, { disabled: !isReady, onClick: () => setIsShown(true) }, t("details.people.add", { count: chosen.length }))
      ),
    isShown &&
      h(AddDialog, {
        sceneId,
        chosen,
        choiceOf,
        leftOut: people.filter((each) => choiceOf(each).pick === LEAVE),
        act,
        drafts,
        onClose: () => setIsShown(false),
        onDone: (answer) => {
          setIsShown(false);
          onDone(answer);
        },
      })
  );
}

const entityOf = (person) => ({
  id: person.stash_box_id,
  name: person.name,
  match: person.local_performer_id ? { id: person.local_performer_id, name: person.name } : null,
  isLinked: Boolean(person.local_performer_id),
});

const Scene = ({ details, sceneId }) =>
  h(
    "div",
    { className: "stash-sense-about" },
    h(LibraryPicture, { kind: "scene", id: sceneId, name: details.scene_title, className: "stash-sense-screenshot" }),
    h(
      "div",
      null,
      h("p", null, h(StashLink, { kind: "scene", id: sceneId, name: sceneTitle(details.scene_title, details.scene_path) })),
      items(details.tagged_performers).length > 0 &&
        h(
          "p",
          null,
          t("details.people.tagged", {
            names: listed(details.tagged_performers.map(({ id, name }) => h(StashLink, { key: id, kind: "performer", id, name }))),
          })
        )
    )
  );

function Person({ person, entity, sceneId, crops, choice, canAct, onChoose }) {
  const crop = crops.find((each) => each.best_match?.universal_id === person.universal_id);
  const facts = h(
    "p",
    { className: "stash-sense-quiet" },
    t("details.people.seen", { share: percent(person.confidence), count: person.face_count ?? 0 }),
    " ",
    items(person.timestamps)
      .slice(0, MOST_MOMENTS)
      .map((seconds) =>
        h(Link, { key: seconds, className: "mr-2", to: `${stashPage("scene", sceneId)}?t=${Math.floor(seconds)}` }, moment(seconds))
      )
  );
  return h(
    "div",
    { className: "stash-sense-person" },
    crop !== undefined &&
      h(FaceCrop, {
        mode: "kept_crop",
        args: { kind: "scene", stash_id: sceneId, person_id: crop.person_id },
        alt: t("details.people.face", { name: person.name }),
      }),
    canAct
      ? h(EntityChoice, { kind: "performer", endpoint: person.endpoint, entity, choice, onChoose }, facts)
      : h("div", null, named(person.name), facts)
  );
}

const Others = ({ details }) =>
  h(
    "ul",
    { className: "stash-sense-quiet" },
    items(details.already_tagged).length > 0 &&
      h("li", null, t("details.people.already", { names: listed(details.already_tagged.map(({ name }) => named(name))) })),
    details.uncertain_count > 0 && h("li", null, t("details.people.uncertain", { count: details.uncertain_count })),
    details.unknown_count > 0 && h("li", null, t("details.people.unknown", { count: details.unknown_count }))
  );

function AddDialog({ sceneId, chosen, choiceOf, leftOut, act, drafts, onClose, onDone }) {
  const made = (drafts.made ??= {});
  const told = (each) => settlingText({ entity: each.entity, choice: choiceOf(each), endpoint: each.person.endpoint });
  const known = (each) => (choiceOf(each).pick === CREATE ? null : (choiceOf(each).other ?? each.entity.match)?.id);
  // Whoever is not here yet is created and linked first; then all join at once.
  const actInTurn = async (mode, asked, options) => {
    const planned = { ...asked, add_performer_ids: chosen.map(known).filter(Boolean), dry_run: true };
    if (asked.dry_run) return act(mode, planned, options);
    // Nobody is created for what is not as it was shown any more.
    if (chosen.some((each) => changesSomething(choiceOf(each)))) await act(mode, planned, options);
    const ids = [];
    for (const each of chosen) {
      ids.push(
        await settle(act, { kind: "performer", endpoint: each.person.endpoint, entity: each.entity, choice: choiceOf(each), made })
      );
    }
    return act(mode, { ...asked, add_performer_ids: ids.filter(Boolean) }, options);
  };
  return h(
    PlanDialog,
    {
      title: t("details.people.title"),
      mode: "rec_update_scene",
      args: { scene_id: sceneId },
      act: actInTurn,
      isDestructive: false,
      variant: "primary",
      confirmLabel: t("details.people.add", { count: chosen.length }),
      describe: () =>
        h(
          "div",
          null,
          h(Said, { title: t("details.upstream.besides") }, chosen.map(told)),
          h("p", null, t("details.people.joins", { names: listed(chosen.map(({ person }) => named(person.name))) }))
        ),
      onClose,
      onDone,
    },
    leftOut.length > 0 &&
      h("p", null, t("details.people.leftOut", { names: listed(leftOut.map(({ person }) => named(person.name))) }))
  );
}
