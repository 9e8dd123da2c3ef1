/** The player of a scene's page, which scripts reach through InteractiveUtils. */
import React, { useEffect, useRef } from "react";
import videojs from "video.js";
import "video.js/dist/video-js.css";
import { patchableComponent } from "./patching";

let player;

/** The video.js player of the page, if there is one. */
export const getPlayer = () => player;

export const ScenePlayer = patchableComponent("ScenePlayer", ({ scene }) => {
  const place = useRef(null);
  useEffect(() => {
    const video = document.createElement("video-js");
    video.className = "vjs-big-play-centered";
    place.current.append(video);
    const made = videojs(video, {
      controls: true,
      fluid: true,
      muted: true,
      poster: scene.paths.screenshot,
      preload: "metadata",
      sources: scene.sceneStreams.map(({ url, mime_type }) => ({
        src: url,
        type: mime_type ?? "video/mp4",
      })),
    });
    player = made;
    return () => {
      made.dispose();
      player = undefined;
    };
    // A new player for another scene, not for the same one after an edit.
    // eslint-disable-next-line react-hooks/exhaustive-deps
  }, [scene.id]);
  return <div className="scene-player" ref={place} data-vjs-player />;
});
