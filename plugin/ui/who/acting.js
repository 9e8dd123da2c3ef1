// Putting a person into the scene, image or gallery: as they are, created, or linked.
import { Button, Form, h, Icon, useRef, useState } from "../host.js";
import { call } from "../api.js";
import { Asked, Busy, Problem } from "../parts/feedback.js";
import { ConfirmDialog } from "../parts/dialogs.js";
import { Picture } from "../parts/media.js";
import { PerformerSearch } from "../parts/performer_search.js";
import { useAction, useSidecar } from "../resources.js";
import { forget } from "../stash.js";
import { t, textOr } from "../texts.js";
import { countryName } from "./figures.js";
import {
  addTo, addToImages, askForLocalsAgain, endpointOf, findLocal, forgetListsOfPerformers,
} from "./library.js";
import { imagesOf } from "./people.js";

/** What can be done with the candidate, as buttons; nothing where they are in it already. */
export function Acting({ candidate, person, page }) {
  const [open, setOpen] = useState(null);
  const [isWithImages, setIsWithImages] = useState(false);
  const imageIds = isWithImages ? imagesOf(person, page.imageIds) : [];
  const local = page.locals.get(candidate.universalId);
  const add = useAction(() => addTo(page, [local.id], imageIds));
  // What is under way, or failed and may be tried again, does not vanish under the hand.
  const isAtIt = open !== null || add.isBusy || add.error !== null;
  if (!isAtIt && (page.performersIn === null || (!page.areLocalsKnown && !local))) return null;
  if (!isAtIt && local && page.performersIn.has(local.id)) {
    return page.kind === "gallery" ? h(ActingOnImages, { local, candidate, person, page }) : null;
  }

  const added = (name) => page.done(t("who.added", { kind: page.kind, name }), person);
  const close = () => setOpen(null);
  const shared = { candidate, person, page, imageIds, onClose: close, onAdded: added };
  const onAdd = async () => (await add.run()) && added(local.name);
  return h(
    "div",
    { className: "stash-sense-who-acting" },
    page.kind === "gallery" && h(WithImages, { person, page, isOn: isWithImages, onChange: setIsWithImages }),
    h(
      "div",
      { className: "stash-sense-who-buttons" },
      local
        ? h(ActButton, { icon: "faPlus", variant: "primary", onClick: onAdd, isBusy: add.isBusy, about: candidate.name },
            t("who.add", { kind: page.kind }))
        : [
            page.boxes.has(candidate.domain)
              && h(ActButton, { key: "create", icon: "faUserPlus", variant: "primary", onClick: () => setOpen("create"), about: candidate.name },
                t("who.create")),
            h(ActButton, { key: "link", icon: "faLink", onClick: () => setOpen("link"), about: candidate.name },
              t("who.link")),
          ]
    ),
    !local && !page.boxes.has(candidate.domain)
      && h("p", { className: "stash-sense-quiet" }, t("who.boxNotConfigured", { domain: candidate.domain })),
    h(Problem, { error: add.error, onClose: add.forget }),
    open === "create" && h(CreateDialog, shared),
    open === "link" && h(LinkDialog, shared)
  );
}

/** For who is in the gallery: a button that adds them to the images they are on. */
function ActingOnImages({ local, candidate, person, page }) {
  const imageIds = imagesOf(person, page.imageIds);
  const add = useAction(() => addToImages(imageIds, [local.id]));
  if (imageIds.length === 0) return null;
  const count = imageIds.length;
  const onAdd = async () =>
    (await add.run()) && page.done(t("who.addedToImages", { name: local.name, count }), person);
  return h(
    "div",
    { className: "stash-sense-who-acting" },
    h("div", { className: "stash-sense-who-buttons" },
      h(ActButton, { icon: "faImages", onClick: onAdd, isBusy: add.isBusy, about: candidate.name },
        t("who.addToImages", { count }))),
    h(Problem, { error: add.error, onClose: add.forget })
  );
}

/** A button with an icon; `about` is whom it means, for who only hears it. */
export const ActButton = ({ icon, variant = "secondary", isBusy = false, about, children, ...rest }) =>
  h(
    Button,
    { size: "sm", variant, disabled: isBusy, "aria-busy": isBusy, ...rest },
    h(Icon, { name: icon }),
    " ",
    children,
    about && h("span", { className: "sr-only" }, `: ${about}`)
  );

function WithImages({ person, page, isOn, onChange }) {
  const id = useRef(`stash-sense-who-images-${(WithImages.count = (WithImages.count ?? 0) + 1)}`);
  return h(Form.Check, {
    id: id.current,
    type: "checkbox",
    checked: isOn,
    onChange: (event) => onChange(event.target.checked),
    label: t("who.withImages", { count: imagesOf(person, page.imageIds).length }),
  });
}

/** The performer of the library with the candidate's id, created where there is none. */
export async function performerFor(candidate, boxes) {
  const there = await findLocal(candidate.universalId);
  if (there !== undefined) return there;
  const { performer } = await call("rec_create_performer", {
    endpoint: endpointOf(candidate, boxes),
    stashbox_id: candidate.boxId,
  });
  forgetListsOfPerformers();
  await askForLocalsAgain();
  return performer;
}

async function linkWith(candidate, boxes, performerId, { isSecond = false } = {}) {
  await call("rec_link_entity", {
    entity_type: "performer",
    entity_id: performerId,
    endpoint: endpointOf(candidate, boxes),
    stashbox_id: candidate.boxId,
    add_second: isSecond,
  });
  forget("performer", performerId, "stash_ids");
  await askForLocalsAgain();
}

function CreateDialog({ candidate, page, imageIds, onClose, onAdded }) {
  const plan = useSidecar("rec_create_performer", {
    endpoint: endpointOf(candidate, page.boxes),
    stashbox_id: candidate.boxId,
    dry_run: true,
  });
  const create = useAction(async () => {
    const performer = await performerFor(candidate, page.boxes);
    await addTo(page, [performer.id], imageIds);
    return performer;
  });
  const refusal = create.error ?? plan.error;
  const others = refusal?.facts?.others ?? [];
  const done = (performer) => {
    onClose();
    onAdded(performer.name);
  };
  return h(
    ConfirmDialog,
    {
      title: t("who.createTitle", { name: candidate.name }),
      confirmLabel: t("who.createAndAdd", { kind: page.kind }),
      action: create,
      onClose,
      onDone: done,
      isReady: plan.data !== undefined && others.length === 0,
    },
    others.length > 0 && plan.data === undefined
      ? h(Problem, { error: plan.error })
      : h(Asked, { of: plan }, ({ plan: planned }) => h(Planned, { planned, candidate, boxes: page.boxes })),
    h(Others, { refusal, others, candidate, page, imageIds, onDone: done })
  );
}

const TOLD = ["disambiguation", "gender", "birthdate", "country", "alias_list"];

/** What would be created. */
function Planned({ planned, candidate, boxes }) {
  const values = planned.values ?? {};
  const box = boxes.get(candidate.domain);
  return h(
    "div",
    { className: "stash-sense-who-planned" },
    h("span", { className: "stash-sense-who-candidate-picture" }, h(Picture, { src: planned.image })),
    h(
      "div",
      null,
      h("p", null, h("bdi", null, values.name ?? candidate.name)),
      h("p", { className: "stash-sense-quiet" }, t("who.createFrom", { box: box?.name || candidate.domain })),
      h(
        "dl",
        { className: "stash-sense-who-facts" },
        TOLD.filter((field) => hasValue(values[field])).map((field) => [
          h("dt", { key: `${field}-name` }, t(`who.field.${field}`)),
          h("dd", { key: field }, h("bdi", null, factOf(field, values[field]))),
        ])
      ),
      (planned.notes ?? []).map((note, i) => h("p", { key: i, className: "stash-sense-quiet" }, note))
    )
  );
}

function factOf(field, value) {
  if (field === "gender") return textOr(`who.gender.${value}`, value);
  if (field === "country") return countryName(value);
  return [value].flat().join(", ");
}

const hasValue = (value) => (Array.isArray(value) ? value.length > 0 : Boolean(value));

/** Performers of the library that stand in the way of creating one, to be taken instead. */
function Others({ refusal, others, candidate, page, imageIds, onDone }) {
  const isName = refusal?.code === "name_collision";
  const take = useAction(async (other) => {
    if (isName) await linkWith(candidate, page.boxes, other.id);
    await addTo(page, [other.id], imageIds);
    onDone(other);
  });
  if (others.length === 0) return null;
  return h(
    "div",
    { className: "stash-sense-who-others", role: "group", "aria-label": t("who.others") },
    h("p", null, t(isName ? "who.othersByName" : "who.othersById")),
    others.map((other) =>
      h(
        "div",
        { key: other.id, className: "stash-sense-who-other" },
        h("bdi", null, other.disambiguation ? `${other.name} (${other.disambiguation})` : other.name),
        h(ActButton, { icon: isName ? "faLink" : "faPlus", isBusy: take.isBusy, onClick: () => take.run(other), about: other.name },
          t(isName ? "who.linkInstead" : "who.add", { kind: page.kind }))
      )
    ),
    take.isBusy && h(Busy),
    h(Problem, { error: take.error })
  );
}

function LinkDialog({ candidate, page, imageIds, onClose, onAdded }) {
  const [chosen, setChosen] = useState(null);
  const [isSecond, setIsSecond] = useState(false);
  const link = useAction(async () => {
    await linkWith(candidate, page.boxes, chosen.id, { isSecond });
    await addTo(page, [chosen.id], imageIds);
    return chosen;
  });
  const { entity, others } = link.error?.facts ?? {};
  // They have another id there: not refused where the owner says that both are theirs.
  const hasAnother = link.error?.code === "action_refused" && entity && !others;
  return h(
    ConfirmDialog,
    {
      title: t("who.linkTitle", { name: candidate.name }),
      confirmLabel: t("who.linkAndAdd", { kind: page.kind }),
      action: link,
      onClose,
      isReady: chosen !== null,
      onDone: (performer) => {
        onClose();
        onAdded(performer.name);
      },
    },
    h("p", { className: "stash-sense-quiet" }, t("who.linkHelp", { domain: page.boxes.get(candidate.domain)?.name || candidate.domain })),
    h(PerformerSearch, {
      label: t("who.searchLabel"),
      chosen,
      initial: candidate.name,
      onChoose: (performer) => {
        setChosen(performer);
        setIsSecond(false);
        link.forget();
      },
    }),
    (hasAnother || isSecond)
      && h(Form.Check, {
        id: "stash-sense-second",
        type: "checkbox",
        checked: isSecond,
        onChange: (event) => setIsSecond(event.target.checked),
        label: t("who.second", { name: chosen?.name ?? "" }),
      })
  );
}

