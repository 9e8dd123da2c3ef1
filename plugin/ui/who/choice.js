// One of several performers, to be chosen by a radio button.
import { h } from "../host.js";
import { Picture } from "../parts/media.js";
import { t } from "../texts.js";
import { countryName } from "./figures.js";

/** The candidates as radio buttons; `onChoose` gets the one that is chosen. */
export const Choices = ({ candidates, chosen, locals, onChoose }) =>
  h(
    "fieldset",
    { className: "stash-sense-who-choices" },
    h("legend", null, t("who.proposed")),
    candidates.map((candidate) =>
      h(
        "label",
        { key: candidate.universalId, className: "stash-sense-who-choice" },
        h("input", {
          type: "radio",
          name: "stash-sense-proposed",
          checked: chosen?.universalId === candidate.universalId,
          onChange: () => onChoose(candidate),
        }),
        h(
          "span",
          { className: "stash-sense-who-choice-picture" },
          h(Picture, { src: locals.get(candidate.universalId)?.image_path ?? candidate.picture })
        ),
        h(
          "span",
          { className: "stash-sense-who-choice-text" },
          h("bdi", null, candidate.name),
          candidate.country && h("span", { className: "stash-sense-quiet" }, " ", countryName(candidate.country))
        )
      )
    )
  );
