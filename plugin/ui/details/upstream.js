// What a stash-box says otherwise of a performer, tag, studio or scene.
import { Button, h, useState } from "../host.js";
import { Busy } from "../parts/feedback.js";
import { OutsideLink } from "../parts/media.js";
import { t } from "../texts.js";
import { changesSomething } from "./adding.js";
import { Collision } from "./collision.js";
import { LibraryPicture, StashLink } from "./library.js";
import { ParentChoice } from "./parent_choice.js";
import { PlanDialog } from "./plan_dialog.js";
import { Said, UpdatePlan } from "./plan_words.js";
import { choiceOfAll, fieldsOf, firstChoice, keyOf, MINE, THEIRS } from "./upstream_choices.js";
import { FieldTable } from "./upstream_fields.js";
import { GoneUpstream } from "./upstream_gone.js";
import {
  allDecided, besides, firstAnswer, questionsOf, sceneArguments, SceneParts, useSceneLinks,
} from "./upstream_scene.js";
import { boxName, boxPage, items, named, upstreamKind } from "./words.js";

/** The view of the four types; `drafts` keeps choices while the page is open. */
export function UpstreamChanges(props) {
  const { recommendation } = props;
  const kind = upstreamKind(recommendation.type);
  const about = h(About, { kind, recommendation });
  if (recommendation.details.is_gone_upstream) return h("div", null, about, h(GoneUpstream, { ...props, kind }));
  return h("div", null, about, h(kind === "scene" ? SceneChanges : FieldChanges, { ...props, kind }));
}

function About({ kind, recommendation: { details, endpoint } }) {
  const id = details[`${kind}_id`];
  const name = details[`${kind}_name`];
  const box = details.endpoint ?? endpoint;
  return h(
    "div",
    { className: "stash-sense-about" },
    kind !== "tag" && h(LibraryPicture, { kind, id, name, className: "stash-sense-portrait" }),
    h(
      "p",
      null,
      h(StashLink, { kind, id, name }),
      details.performer_disambiguation && ` (${details.performer_disambiguation})`,
      h("br"),
      h(OutsideLink, { href: boxPage(box, kind, details.stash_box_id) }, t("details.upstream.at", { box: boxName(box) }))
    )
  );
}

/** Choices by key, kept in `drafts` beyond a reload of the recommendation. */
function useChoices(drafts) {
  const [choices, setChoices] = useState(() => drafts.choices ?? {});
  const choose = (more) => {
    drafts.choices = { ...drafts.choices, ...more };
    setChoices(drafts.choices);
  };
  return [choices, choose];
}

function SceneChanges(props) {
  const { details, endpoint } = props.recommendation;
  const { links, isReady, error } = useSceneLinks(details);
  if (!isReady && !error) return h(Busy);
  const box = details.endpoint ?? endpoint;
  return h(FieldChanges, { ...props, questions: questionsOf(details, box, links), linksError: error });
}

function FieldChanges({ kind, recommendation, act, drafts, onDone, canAct, questions = [], linksError }) {
  const [choices, choose] = useChoices(drafts);
  const [isShown, setIsShown] = useState(false);
  const { details } = recommendation;
  const endpoint = details.endpoint ?? recommendation.endpoint;
  const changes = items(details.changes);
  const choiceOf = (change) => choices[keyOf(change)] ?? firstChoice(change);
  const answerOf = (question) => choices[question.key] ?? firstAnswer(question);
  const chooseAll = (pick) =>
    choose(Object.fromEntries(changes.map((change) => [keyOf(change), choiceOfAll(change, pick)])));
  const leaveOut = (names) =>
    choose(
      Object.fromEntries(
        changes.filter(({ field }) => names.includes(field)).map((change) => [keyOf(change), choiceOfAll(change, MINE)])
      )
    );
  const isReady = allDecided(questions, answerOf);
  return h(
    "div",
    null,
    changes.length > 0 &&
      canAct &&
      h(
        "div",
        { className: "stash-sense-quick" },
        h(Button, { size: "sm", variant: "secondary", onClick: () => chooseAll(THEIRS) }, t("details.upstream.allTheirs")),
        h(Button, { size: "sm", variant: "secondary", onClick: () => chooseAll(MINE) }, t("details.upstream.allMine"))
      ),
    h(FieldTable, { changes, choiceOf, choose: (change, choice) => choose({ [keyOf(change)]: choice }), box: boxName(endpoint) }),
    h(SceneParts, { questions, answerOf, answer: (question, choice) => choose({ [question.key]: choice }), endpoint, error: linksError }),
    canAct &&
      h(
        "div",
        { className: "stash-sense-decide" },
        !isReady && h("p", { id: "stash-sense-undecided" }, t("details.upstream.undecided")),
        h(
          Button,
          { disabled: !isReady, "aria-describedby": isReady ? undefined : "stash-sense-undecided", onClick: () => setIsShown(true) },
          t("details.upstream.preview")
        )
      ),
    isShown &&
      h(UpdateDialog, {
        kind,
        recommendation,
        act,
        drafts,
        endpoint,
        fields: fieldsOf(changes, choiceOf),
        questions,
        answerOf,
        leaveOut,
        onClose: () => setIsShown(false),
        onDone: (answer) => {
          setIsShown(false);
          onDone(answer);
        },
      })
  );
}

/** What would be written; and what to do where a name or a parent is in the way. */
function UpdateDialog({ kind, recommendation, act, drafts, endpoint, fields, questions, answerOf, leaveOut, onClose, onDone }) {
  const [parent, setParent] = useState({});
  const id = recommendation.details[`${kind}_id`] ?? recommendation.target_id;
  const args = { [`${kind}_id`]: id, fields, ...(kind === "studio" && { endpoint, ...parent }) };
  const besidesIt = besides(questions, answerOf, endpoint);
  const made = (drafts.made ??= {});
  // Whoever is to be in the scene is created and linked before the scene is updated.
  const actOnScene = async (mode, asked, options) => {
    const planned = await sceneArguments(questions, answerOf, { act: null, endpoint });
    if (asked.dry_run) return act(mode, { ...asked, ...planned }, options);
    // Nobody is created for what is not as it was shown any more.
    if (questions.some((each) => changesSomething(answerOf(each)))) {
      await act(mode, { ...asked, ...planned, dry_run: true }, options);
    }
    const more = await sceneArguments(questions, answerOf, { act, endpoint, made });
    return act(mode, { ...asked, ...more }, options);
  };
  return h(
    PlanDialog,
    {
      title: t("details.upstream.dialog"),
      mode: `rec_update_${kind}`,
      args,
      act: kind === "scene" ? actOnScene : act,
      isDestructive: false,
      variant: "primary",
      confirmLabel: t("details.upstream.write"),
      describe: (plan) =>
        h("div", null, h(UpdatePlan, { plan }), h(Said, { title: t("details.upstream.besides") }, besidesIt)),
      onClose,
      onDone,
      refused: (error, again) => {
        if (error.code === "name_collision") {
          return h(Collision, { kind, error, act, onMerged: again, onLeaveOut: () => leaveOut(["name", "disambiguation"]) });
        }
        if (kind === "studio" && error.facts.parent) {
          return h(ParentChoice, { facts: error.facts, onChoose: setParent, onLeaveOut: () => leaveOut(["parent_studio"]) });
        }
        return null;
      },
    },
    h("p", null, t("details.upstream.dialogAbout", { name: named(recommendation.details[`${kind}_name`]) }))
  );
}
