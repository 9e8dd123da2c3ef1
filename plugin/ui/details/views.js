// Which view shows which type of recommendation.
import { h } from "../host.js";
import { Boundary } from "../parts/boundary.js";
import { t } from "../texts.js";
import { DuplicateFiles } from "./duplicate_files.js";
import { DuplicatePerformers } from "./duplicate_performers.js";
import { DuplicateScenes } from "./duplicate_scenes.js";
import { FingerprintMatch } from "./fingerprint_match.js";
import { MissingLink } from "./missing_link.js";
import { UnidentifiedScene } from "./unidentified.js";
import { UpstreamChanges } from "./upstream.js";

const VIEWS = {
  duplicate_performer: DuplicatePerformers,
  duplicate_scene_files: DuplicateFiles,
  duplicate_scenes: DuplicateScenes,
  upstream_performer_changes: UpstreamChanges,
  upstream_tag_changes: UpstreamChanges,
  upstream_studio_changes: UpstreamChanges,
  upstream_scene_changes: UpstreamChanges,
  scene_fingerprint_match: FingerprintMatch,
  unidentified_scenes: UnidentifiedScene,
  missing_stash_box_link: MissingLink,
};

/**
 * What there is to decide about. `act` is of `actingOn`, `drafts` an object that keeps
 * what somebody chose, `onDone(answer)` is called after it was acted on.
 */
export function RecommendationView(props) {
  const { type, updated_at: seenAt } = props.recommendation;
  const View = VIEWS[type];
  if (View === undefined) return h("p", null, t("details.unknownType"));
  // Shown anew where it tells something else; what was chosen is in the drafts.
  // Imported details may lack what a view needs; the frame stays in use.
  return h(Boundary, { key: seenAt, text: t("details.notShown") }, h(View, props));
}
