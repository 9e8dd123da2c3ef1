// What can be chosen: networks and data, stash-boxes, followed fields, values.
import { h } from "../host.js";
import { Capabilities } from "../settings/capabilities.js";
import { Endpoints } from "../settings/endpoints.js";
import { Fields } from "../settings/fields.js";
import { Models } from "../settings/models.js";
import { Values } from "../settings/values.js";
import { useSidecar } from "../resources.js";
import { t } from "../texts.js";

export default function SettingsPage() {
  const endpoints = useSidecar("endpoint_priorities_get");
  return h(
    "div",
    { className: "stash-sense-settings" },
    h("h2", null, t("nav.settings")),
    h(Capabilities),
    h(Models),
    h(Endpoints, { endpoints }),
    endpoints.data && h(Fields, { endpoints: endpoints.data.endpoints }),
    h(Values)
  );
}
