// The machine, and what can be done on it.
import { h, Icon } from "../host.js";
import { bytes } from "../format.js";
import { Asked } from "../parts/feedback.js";
import { useSidecar } from "../resources.js";
import { t, textOr } from "../texts.js";

export function Capabilities() {
  const system = useSidecar("system_info");
  const capabilities = useSidecar("capabilities");
  return h(
    "section",
    null,
    h("h3", null, t("settings.machine")),
    h(Asked, { of: system }, ({ hardware, version }) =>
      h(
        "p",
        null,
        hardware.summary,
        h("span", { className: "stash-sense-quiet" }, " ", t("settings.machineFacts", {
          tier: hardware.tier,
          free: bytes(hardware.storage_free_mb === null ? null : hardware.storage_free_mb * 1e6),
          version,
        }))
      )
    ),
    h(Asked, { of: capabilities }, (data) =>
      h(
        "ul",
        { className: "stash-sense-abilities" },
        Object.entries(data.capabilities).map(([name, can]) =>
          h(
            "li",
            { key: name },
            h(Icon, { name: can ? "faCheck" : "faTimes" }),
            h("span", null, textOr(`settings.can.${name}`, name)),
            h("span", { className: "sr-only" }, can ? t("common.yes") : t("common.no")),
            !can && data.reasons[name] &&
              h("span", { className: "stash-sense-quiet" }, data.reasons[name])
          )
        )
      )
    )
  );
}
