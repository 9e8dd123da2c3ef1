import { h } from "../host.js";
import { Busy } from "../parts/feedback.js";

export default function SceneTab() {
  return h(Busy);
}
