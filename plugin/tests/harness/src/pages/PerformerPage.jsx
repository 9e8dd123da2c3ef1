/** /performers/:id. */
import React from "react";
import { useParams } from "react-router-dom";
import { pending, useTitle } from "../base";
import { titleOf } from "../cards";
import { useFindPerformer } from "../client";
import { patchableComponent } from "../patching";

const PerformerDetailsPanel = patchableComponent(
  "PerformerDetailsPanel",
  ({ performer }) => (
    <dl>
      <dt>Aliases</dt>
      <dd>{performer.alias_list.join(", ")}</dd>
      <dt>Birthdate</dt>
      <dd>{performer.birthdate}</dd>
    </dl>
  )
);

const PerformerPage = patchableComponent("PerformerPage", ({ performer }) => (
  <div className="row">
    <div className="col-md-4">
      <img className="performer" src={performer.image_path} alt="" />
    </div>
    <div className="col-md-8">
      <h2 className="performer-name">{performer.name}</h2>
      <PerformerDetailsPanel performer={performer} />
    </div>
  </div>
));

export default function PerformerLoader() {
  const { id } = useParams();
  const found = useFindPerformer(id);
  const performer = found.data?.findPerformer;
  useTitle(performer && titleOf(performer, "performer"));
  return pending(found, performer) ?? <PerformerPage performer={performer} />;
}
