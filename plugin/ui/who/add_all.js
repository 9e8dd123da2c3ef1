// Everybody who is known, at once: asked once, with whom it means.
import { Button, Form, h, Icon, useState } from "../host.js";
import { SidecarError } from "../api.js";
import { percent } from "../format.js";
import { ConfirmDialog } from "../parts/dialogs.js";
import { Problem } from "../parts/feedback.js";
import { useAction } from "../resources.js";
import { t } from "../texts.js";
import { performerFor } from "./acting.js";
import { addTo, addToImages } from "./library.js";
import { imagesOf, subjectOf } from "./people.js";

/**
 * Who is known and not in it: with their performer, or with a stash-box to create them.
 * Each once, however many of the people are taken for them.
 */
function addableOf(people, { extras, locals, performersIn, boxes, areLocalsKnown }) {
  if (performersIn === null || !areLocalsKnown) return [];
  const byId = new Map();
  for (const person of people) {
    const candidate = subjectOf(person, extras);
    if (candidate === null) continue;
    const before = byId.get(candidate.universalId);
    if (before) before.people.push(person);
    else byId.set(candidate.universalId, { people: [person], candidate });
  }
  return [...byId.values()]
    .map((each) => ({ ...each, local: locals.get(each.candidate.universalId) }))
    .filter(({ local, candidate }) =>
      local ? !performersIn.has(local.id) : boxes.has(candidate.domain));
}

/** A button that tells how many; nothing where there is nobody to add. */
export function AddAll({ people, page }) {
  const [isOpen, setIsOpen] = useState(false);
  const addable = addableOf(people, page);
  if (addable.length === 0 && !isOpen) return null;
  return [
    h(
      Button,
      { key: "open", variant: "secondary", onClick: () => setIsOpen(true) },
      h(Icon, { name: "faUsers" }),
      " ",
      t("who.addAll", { count: addable.length })
    ),
    isOpen && h(AddAllDialog, { key: "dialog", addable, page, onClose: () => setIsOpen(false) }),
  ];
}

function AddAllDialog({ addable, page, onClose }) {
  // Those who were there when it was opened: who is added does not vanish under the hand.
  const [asked] = useState(addable);
  const [chosen, setChosen] = useState(
    () => new Set(asked.filter(({ local }) => local).map(({ candidate }) => candidate.universalId))
  );
  const [isWithImages, setIsWithImages] = useState(false);
  const [failures, setFailures] = useState([]);
  const add = useAction(async () => {
    const wanted = asked.filter(({ candidate }) => chosen.has(candidate.universalId));
    const { ready, failed } = await performersFor(wanted, page);
    setFailures(failed);
    if (ready.length > 0) await addEverybody(ready, page, isWithImages);
    return failed.length === 0 ? ready.length : undefined;
  });
  const choose = (universalId, isChosen) => {
    const next = new Set(chosen);
    if (isChosen) next.add(universalId);
    else next.delete(universalId);
    setChosen(next);
  };
  return h(
    ConfirmDialog,
    {
      title: t("who.addAllTitle", { kind: page.kind }),
      confirmLabel: t("who.addChosen", { count: chosen.size }),
      action: add,
      isReady: chosen.size > 0,
      onClose,
      onDone: (count) => {
        onClose();
        page.done(t("who.addedAll", { kind: page.kind, count }));
      },
    },
    asked.map(({ candidate, local }) =>
      h(Chosen, {
        key: candidate.universalId, candidate, local,
        isChosen: chosen.has(candidate.universalId),
        onChange: (isChosen) => choose(candidate.universalId, isChosen),
      })
    ),
    page.kind === "gallery"
      && h(Form.Check, {
        id: "stash-sense-all-images",
        type: "checkbox",
        className: "mt-3",
        checked: isWithImages,
        onChange: (event) => setIsWithImages(event.target.checked),
        label: t("who.allWithImages"),
      }),
    failures.map(({ name, error }) =>
      h("div", { key: name }, h("p", null, t("who.notAdded", { name })), h(Problem, { error }))
    )
  );
}

const Chosen = ({ candidate, local, isChosen, onChange }) =>
  h(Form.Check, {
    id: `stash-sense-add-${candidate.universalId}`,
    type: "checkbox",
    checked: isChosen,
    onChange: (event) => onChange(event.target.checked),
    label: [
      h("bdi", { key: "name" }, local?.name ?? candidate.name),
      h("span", { key: "more", className: "stash-sense-quiet" },
        " ", percent(candidate.confidence), !local && ` – ${t("who.willBeCreated")}`),
    ],
  });

/** Each one's performer; who cannot be created does not keep the others out. */
async function performersFor(wanted, page) {
  const ready = [];
  const failed = [];
  for (const { people, candidate, local } of wanted) {
    try {
      ready.push({ people, performer: local ?? (await performerFor(candidate, page.boxes)) });
    } catch (error) {
      if (!(error instanceof SidecarError)) throw error;
      failed.push({ name: candidate.name, error });
    }
  }
  return { ready, failed };
}

async function addEverybody(ready, page, isWithImages) {
  // The images first: who is in the gallery is taken for done.
  for (const { people, performer } of isWithImages ? ready : []) {
    const imageIds = people.flatMap((person) => imagesOf(person, page.imageIds));
    if (imageIds.length > 0) await addToImages([...new Set(imageIds)], [performer.id]);
  }
  await addTo(page, ready.map(({ performer }) => performer.id));
}
