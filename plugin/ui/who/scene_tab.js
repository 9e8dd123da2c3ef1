// The tab of a scene's page.
import { h } from "../host.js";
import { t } from "../texts.js";
import { WhoIsIn } from "./panel.js";

/** Who is in the scene that Stash shows. */
export default function SceneTab({ scene, setTimestamp }) {
  return h(
    "section",
    { className: "stash-sense stash-sense-tab", "aria-label": t("who.title", { kind: "scene" }) },
    h("h2", { className: "sr-only" }, t("who.title", { kind: "scene" })),
    h(WhoIsIn, { kind: "scene", stashId: scene.id, onSeek: setTimestamp })
  );
}
