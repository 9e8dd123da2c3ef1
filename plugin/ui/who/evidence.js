// Where a person is seen: moments of a scene, images of a gallery.
import { Button, h, Icon, Link, scenePlayer, useState, useToast } from "../host.js";
import { moment } from "../format.js";
import { Picture } from "../parts/media.js";
import { stashPage } from "../stash.js";
import { t } from "../texts.js";
import { useImages } from "./library.js";
import { imagesOf, momentsOf } from "./people.js";

const MOST_IMAGES = 6;

/** Buttons that seek the player of Stash, or links to images; nothing of an image. */
export function Evidence({ person, page, name }) {
  if (page.kind === "scene") return h(Moments, { person, name, page });
  if (page.kind === "gallery") return h(Images, { ids: imagesOf(person, page.imageIds) });
  return null;
}

function Moments({ person, name, page }) {
  const [areAll, setAreAll] = useState(false);
  const toast = useToast();
  const all = momentsOf(person, { areAll: true });
  const shown = areAll ? all : momentsOf(person);
  if (all.length === 0) {
    return h("p", { className: "stash-sense-quiet" }, t("who.onCover"));
  }
  return h(
    "div",
    { className: "stash-sense-who-moments", role: "group", "aria-label": t("who.seenAt", { name }) },
    shown.map((seconds) =>
      h(
        Button,
        {
          key: seconds,
          size: "sm",
          variant: "secondary",
          className: "stash-sense-who-moment",
          title: t("who.seek"),
          onClick: () => seek(seconds, page) || toast.error(t("who.noPlayer")),
        },
        h(Icon, { name: "faPlay" }),
        " ",
        moment(seconds)
      )
    ),
    shown.length < all.length
      && h(
        Button,
        { size: "sm", variant: "link", onClick: () => setAreAll(true) },
        t("who.allMoments", { count: all.length })
      )
  );
}

/** Whether there is a player to show that moment. */
function seek(seconds, { onSeek }) {
  const player = scenePlayer();
  if (onSeek) onSeek(seconds);
  else if (player) player.currentTime(seconds);
  else return false;
  player?.el?.()?.scrollIntoView?.({ block: "nearest" });
  return true;
}

function Images({ ids }) {
  const [areAll, setAreAll] = useState(false);
  const shown = areAll ? ids : ids.slice(0, MOST_IMAGES);
  const images = useImages(shown);
  return h(
    "div",
    null,
    h("p", { className: "stash-sense-quiet" }, t("who.onImages", { count: ids.length })),
    h(
      "ul",
      { className: "stash-sense-who-images" },
      shown.map((id) => {
        const label = images.get(id)?.title || t("who.image", { id });
        return h(
          "li",
          { key: id },
          h(
            Link,
            { to: stashPage("image", id), title: label, className: "stash-sense-who-thumbnail" },
            h(Picture, { src: images.get(id)?.paths.thumbnail, alt: label })
          )
        );
      })
    ),
    shown.length < ids.length
      && h(
        Button,
        { size: "sm", variant: "link", onClick: () => setAreAll(true) },
        t("who.allImages", { count: ids.length })
      )
  );
}
