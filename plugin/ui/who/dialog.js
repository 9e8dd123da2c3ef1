import { h } from "../host.js";
import { Busy } from "../parts/feedback.js";

export default function WhoDialog() {
  return h(Busy);
}
