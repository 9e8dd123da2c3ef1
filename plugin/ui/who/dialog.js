// What the button of an image or a gallery opens.
import { h } from "../host.js";
import { Dialog } from "../parts/dialogs.js";
import { t } from "../texts.js";
import { WithNewStash } from "../version.js";
import { WhoIsIn } from "./panel.js";

/** Who is in the image or gallery that Stash shows. */
export default function WhoDialog({ kind, stashId, onClose }) {
  return h(
    Dialog,
    { title: t("who.title", { kind }), onClose, size: "lg" },
    h(WithNewStash, null, () => h(WhoIsIn, { kind, stashId }))
  );
}
