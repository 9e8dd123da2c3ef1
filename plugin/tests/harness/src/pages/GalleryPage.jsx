/** /galleries/:id: the panel of its images may be patched. */
import React from "react";
import { useQuery } from "@apollo/client";
import { useParams } from "react-router-dom";
import { pending, useTitle } from "../base";
import { Details, ImageCard, titleOf } from "../cards";
import { GQL, useFindGallery } from "../client";
import { patchableComponent } from "../patching";

const GalleryImagesPanel = patchableComponent("GalleryImagesPanel", ({ gallery }) => {
  const found = useQuery(GQL.FindImagesDocument, {
    variables: {
      filter: { per_page: -1 },
      image_filter: { galleries: { value: [gallery.id], modifier: "INCLUDES" } },
    },
  });
  const images = found.data?.findImages.images;
  return (
    pending(found, images) ?? (
      <div className="row justify-content-center">
        {images.map((image) => (
          <ImageCard key={image.id} image={image} />
        ))}
      </div>
    )
  );
});

export default function GalleryPage() {
  const { id } = useParams();
  const found = useFindGallery(id);
  const gallery = found.data?.findGallery;
  useTitle(gallery && titleOf(gallery, "gallery"));
  return (
    pending(found, gallery) ?? (
      <div className="row">
        <div className="gallery-tabs">
          <h3 className="gallery-header">{titleOf(gallery, "gallery")}</h3>
          <Details row={gallery} />
        </div>
        <div className="gallery-container">
          <GalleryImagesPanel gallery={gallery} active />
        </div>
      </div>
    )
  );
}
