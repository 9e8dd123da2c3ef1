/** The lists of scenes, images, galleries and performers. */
import React from "react";
import { useQuery } from "@apollo/client";
import { pending, useTitle } from "../base";
import { GalleryCard, ImageCard, PerformerCard, SceneCard } from "../cards";
import { GQL } from "../client";

const FILTER = { per_page: 60 };

function useRows(title, document, field, rows) {
  useTitle(title);
  const found = useQuery(document, { variables: { filter: FILTER } });
  const list = found.data?.[field][rows];
  return [pending(found, list), list];
}

function Rows({ waiting, children }) {
  return waiting ?? <div className="row justify-content-center">{children()}</div>;
}

export function Scenes() {
  const [waiting, list] = useRows(
    "Scenes", GQL.FindScenesDocument, "findScenes", "scenes"
  );
  return (
    <Rows waiting={waiting}>
      {() => list.map((scene) => <SceneCard key={scene.id} scene={scene} />)}
    </Rows>
  );
}

export function Images() {
  const [waiting, list] = useRows(
    "Images", GQL.FindImagesDocument, "findImages", "images"
  );
  return (
    <Rows waiting={waiting}>
      {() => list.map((image) => <ImageCard key={image.id} image={image} />)}
    </Rows>
  );
}

export function Galleries() {
  const [waiting, list] = useRows(
    "Galleries", GQL.FindGalleriesDocument, "findGalleries", "galleries"
  );
  return (
    <Rows waiting={waiting}>
      {() => list.map((gallery) => <GalleryCard key={gallery.id} gallery={gallery} />)}
    </Rows>
  );
}

export function Performers() {
  const [waiting, list] = useRows(
    "Performers", GQL.FindPerformersDocument, "findPerformers", "performers"
  );
  return (
    <Rows waiting={waiting}>
      {() => list.map((each) => <PerformerCard key={each.id} performer={each} />)}
    </Rows>
  );
}
