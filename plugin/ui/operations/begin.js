// A button for everything that can be begun.
import { Button, Form, h, useState } from "../host.js";
import { call } from "../api.js";
import { Problem } from "../parts/feedback.js";
import { useAction } from "../resources.js";
import { t, textOr } from "../texts.js";

const WORKING = ["queued", "running", "stopping"];

/** The name of a type of run, in the words of the interface. */
export const nameOf = (types, typeId) =>
  textOr(
    `recommendations.type.${typeId}`,
    types.find((type) => type.type_id === typeId)?.display_name ?? typeId
  );

export function Begin({ types, jobs, onBegun }) {
  const [isFull, setIsFull] = useState(false);
  const begin = useAction(async (type, full) => {
    await call("queue_submit", { type, full });
    await onBegun();
    return true;
  });
  const atWork = new Set(
    jobs.filter((job) => WORKING.includes(job.status)).map((job) => job.type)
  );
  return h(
    "section",
    null,
    h("h3", null, t("operations.begin")),
    h(Form.Check, {
      id: "stash-sense-full",
      type: "checkbox",
      label: t("operations.full"),
      checked: isFull,
      onChange: (event) => setIsFull(event.target.checked),
    }),
    h(
      "ul",
      { className: "stash-sense-begin" },
      types.map((type) =>
        h(
          "li",
          { key: type.type_id },
          h(
            Button,
            {
              variant: "secondary",
              size: "sm",
              title: type.description,
              disabled: begin.isBusy || atWork.has(type.type_id),
              onClick: () => begin.run(type.type_id, isFull && type.supports_incremental),
            },
            nameOf(types, type.type_id)
          )
        )
      )
    ),
    h(Problem, { error: begin.error, onClose: begin.forget })
  );
}
