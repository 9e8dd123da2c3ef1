// Having names follow what the evaluation has shown, and going back to what is shipped.
import { Alert, Button, Form, h, useState } from "../host.js";
import { decimal, percent, when } from "../format.js";
import { call } from "../api.js";
import { Problem } from "../parts/feedback.js";
import { useAction } from "../resources.js";
import { t } from "../texts.js";
import { modeName } from "./figures.js";
import { ModeChoice } from "./mode_choice.js";

export function Adopt({ modes, onChanged }) {
  const [chosen, setChosen] = useState(modes[0].mode);
  const [wrong, setWrong] = useState("1");
  const [scenes, setScenes] = useState("20");
  const [adopted, setAdopted] = useState(null);
  const mode = modes.find((each) => each.mode === chosen) ?? modes[0];
  const adopt = useAction(async () => {
    const answer = await call("evaluation_adopt", {
      matching_mode: mode.mode, wrong_names: Number(wrong), per_scenes: Number(scenes),
    });
    setAdopted(answer);
    await onChanged();
    return answer;
  });
  const back = useAction(async () => {
    await call("evaluation_shipped", { matching_mode: mode.mode });
    setAdopted(null);
    await onChanged();
    return true;
  });
  const submit = (event) => {
    event.preventDefault();
    adopt.run();
  };
  const number = (id, value, change, min) =>
    h(Form.Control, {
      id, type: "number", size: "sm", min, required: true, value, "aria-label": t(`quality.${id}`),
      onChange: (event) => change(event.target.value),
    });
  return h(
    "section",
    null,
    h("h3", null, t("quality.adopt")),
    h("p", { className: "stash-sense-quiet" }, t("quality.adoptHint")),
    h(ModeChoice, { id: "stash-sense-adopt-mode", modes, chosen: mode.mode, onChoose: setChosen, label: t("quality.column.mode") }),
    h("p", null, mode.calibration === null
      ? t("quality.shipped", { mode: modeName(mode.mode) })
      : t("quality.adopted", {
          mode: modeName(mode.mode), when: when(mode.calibration.adopted_at),
          score: decimal(mode.calibration.known_score),
        })),
    h(
      Form,
      { onSubmit: submit, className: "stash-sense-buttons" },
      t("quality.atMost"), number("wrongNames", wrong, setWrong, 0),
      t("quality.in"), number("perScenes", scenes, setScenes, 1), t("quality.scenes"),
      h(Button, { type: "submit", size: "sm", disabled: adopt.isBusy }, t("quality.adoptNow")),
      mode.calibration !== null &&
        h(Button, { size: "sm", variant: "secondary", disabled: back.isBusy, onClick: () => back.run() }, t("quality.goBack"))
    ),
    adopted &&
      h(Alert, { variant: "success" }, t("quality.adoptedNow", {
        threshold: decimal(adopted.threshold), wrong: adopted.wrong_count, named: adopted.named_count,
        items: adopted.item_count, rate: percent(adopted.highest_rate),
      })),
    h(Problem, { error: adopt.error, onClose: adopt.forget }),
    h(Problem, { error: back.error, onClose: back.forget })
  );
}
