// A scene that a stash-box knows by its fingerprints: both, and what speaks for it.
import { count, moment, percent } from "../format.js";
import { Badge, Button, h, Table } from "../host.js";
import { Problem } from "../parts/feedback.js";
import { OutsideLink, Picture } from "../parts/media.js";
import { useAction } from "../resources.js";
import { t } from "../texts.js";
import { LibraryPicture, StashLink } from "./library.js";
import { boxName, boxPage, items, listed, named, sceneTitle } from "./words.js";

/** The scene and its candidate; accepted, the scene gets the id. */
export function FingerprintMatch({ recommendation, act, onDone, canAct }) {
  const { details } = recommendation;
  const endpoint = details.endpoint ?? recommendation.endpoint;
  const accept = useAction(async () => {
    onDone(
      await act("rec_accept_fingerprint_match", {
        scene_id: details.scene_id,
        endpoint,
        stash_id: details.stash_id,
      })
    );
  });
  return h(
    "div",
    null,
    h("div", { className: "stash-sense-pair" }, h(Ours, { details }), h(Theirs, { details, endpoint })),
    h(Evidence, { details }),
    h(Fingerprints, { rows: items(details.matching_fingerprints) }),
    h(Problem, { error: accept.error }),
    canAct &&
      h(
        "div",
        { className: "stash-sense-decide" },
        h("p", null, t("details.match.about", { box: boxName(endpoint) })),
        h(Button, { onClick: () => accept.run(), disabled: accept.isBusy, "aria-busy": accept.isBusy }, t("details.match.accept"))
      )
  );
}

const Ours = ({ details }) =>
  h(
    "section",
    null,
    h("h4", null, t("details.match.ours")),
    h(LibraryPicture, { kind: "scene", id: details.scene_id, name: details.scene_title, className: "stash-sense-screenshot" }),
    h("p", null, h(StashLink, { kind: "scene", id: details.scene_id, name: sceneTitle(details.scene_title, details.scene_path) })),
    h("p", { className: "stash-sense-quiet" }, h("bdi", { className: "stash-sense-path" }, details.scene_path)),
    details.scene_duration && h("p", null, moment(details.scene_duration))
  );

const Theirs = ({ details, endpoint }) =>
  h(
    "section",
    null,
    h("h4", null, t("details.match.theirs", { box: boxName(endpoint) })),
    h("span", { className: "stash-sense-screenshot" }, h(Picture, { src: details.stashbox_cover_url, alt: String(details.stashbox_scene_title ?? "") })),
    h(
      "p",
      null,
      h(OutsideLink, { href: boxPage(endpoint, "scene", details.stash_id) }, named(details.stashbox_scene_title, t("details.noTitle")))
    ),
    h("p", null, [details.stashbox_studio, details.stashbox_date].filter(Boolean).map((each) => h("bdi", { key: each, className: "mr-2" }, each))),
    items(details.stashbox_performers).length > 0 &&
      h("p", null, listed(items(details.stashbox_performers).map((name) => named(name)))),
    details.stashbox_duration && h("p", null, moment(details.stashbox_duration))
  );

function Evidence({ details }) {
  const agree = details.durations_agree;
  const said = [
    t("details.match.count", {
      matched: details.match_count ?? 0,
      total: details.total_local_fingerprints ?? 0,
      share: percent((details.match_percentage ?? 0) / 100),
    }),
    t("details.match.submissions", { count: details.total_submissions ?? 0 }),
    details.is_exact && t("details.match.exact"),
    agree === true && t("details.match.durationsAgree"),
    agree === false && t("details.match.durationsDiffer"),
    details.candidate_count > 1 && t("details.match.others", { count: details.candidate_count - 1 }),
  ].filter(Boolean);
  return h(
    "section",
    null,
    h(
      "h4",
      null,
      t("details.match.why"),
      details.high_confidence && h(Badge, { variant: "success", className: "ml-2" }, t("details.match.sure"))
    ),
    h("ul", null, said.map((each, i) => h("li", { key: i }, each)))
  );
}

function Fingerprints({ rows }) {
  if (rows.length === 0) return null;
  const columns = ["algorithm", "hash", "distance", "length", "submitted"];
  return h(
    Table,
    { size: "sm", className: "stash-sense-changes" },
    h("caption", { className: "sr-only" }, t("details.match.caption")),
    h("thead", null, h("tr", null, columns.map((each) => h("th", { key: each, scope: "col" }, t(`details.match.${each}`))))),
    h(
      "tbody",
      null,
      rows.map((row, i) => {
        const cell = (name, shown) => h("td", { "data-label": t(`details.match.${name}`) }, shown);
        return h(
          "tr",
          { key: i },
          h("th", { scope: "row" }, row.algorithm),
          cell("hash", h("code", null, row.hash)),
          cell("distance", row.distance === 0 ? t("details.match.equal") : t("details.match.bits", { count: row.distance })),
          cell("length", row.duration ? moment(row.duration) : "–"),
          cell("submitted", count(row.submissions))
        );
      })
    )
  );
}
