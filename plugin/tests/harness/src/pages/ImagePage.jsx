/** /images/:id: nothing for tabs or tools, only the panel of details may be patched. */
import React from "react";
import { useParams } from "react-router-dom";
import { pending, useTitle } from "../base";
import { Details, titleOf } from "../cards";
import { useFindImage } from "../client";
import { patchableComponent } from "../patching";

const ImageDetailPanel = patchableComponent("ImageDetailPanel", ({ image }) => (
  <Details row={image} />
));

export default function ImagePage() {
  const { id } = useParams();
  const found = useFindImage(id);
  const image = found.data?.findImage;
  useTitle(image && titleOf(image, "image"));
  return (
    pending(found, image) ?? (
      <div className="row">
        <div className="image-tabs order-xl-first order-last">
          <h3 className="image-header">{titleOf(image, "image")}</h3>
          <ImageDetailPanel image={image} />
        </div>
        <div className="image-container">
          <img className="m-sm-auto no-gutter image-image" src={image.paths.image} alt="" />
        </div>
      </div>
    )
  );
}
