/** Cards of lists, and links to rows. */
import React from "react";
import { Badge, Card } from "react-bootstrap";
import { Link } from "react-router-dom";
import { patchableComponent } from "./patching";

export function titleOf(row, kind) {
  return row.title || row.name || `${kind} ${row.id}`;
}

function RowCard({ path, picture, row, kind, children }) {
  return (
    <Card className={`${kind}-card grid-card`}>
      <Link to={path}>
        <Card.Img variant="top" src={picture} alt="" loading="lazy" />
      </Link>
      <Card.Body>
        <Link to={path}>
          <h5 className="card-section-title">{titleOf(row, kind)}</h5>
        </Link>
        {children}
      </Card.Body>
    </Card>
  );
}

export const SceneCard = patchableComponent("SceneCard", ({ scene }) => (
  <RowCard
    kind="scene"
    path={`/scenes/${scene.id}`}
    picture={scene.paths.screenshot}
    row={scene}
  >
    <SceneCardDetails scene={scene} />
    <SceneCardPopovers scene={scene} />
  </RowCard>
));

const SceneCardDetails = patchableComponent("SceneCard.Details", ({ scene }) => (
  <span>{scene.date}</span>
));

const SceneCardPopovers = patchableComponent("SceneCard.Popovers", ({ scene }) => (
  <People row={scene} />
));

export const ImageCard = patchableComponent("ImageCard", ({ image }) => (
  <RowCard
    kind="image"
    path={`/images/${image.id}`}
    picture={image.paths.thumbnail}
    row={image}
  />
));

export const GalleryCard = patchableComponent("GalleryCard", ({ gallery }) => (
  <RowCard
    kind="gallery"
    path={`/galleries/${gallery.id}`}
    picture={gallery.paths?.cover}
    row={gallery}
  />
));

export const PerformerCard = patchableComponent("PerformerCard", ({ performer }) => (
  <RowCard
    kind="performer"
    path={`/performers/${performer.id}`}
    picture={performer.image_path}
    row={performer}
  />
));

export const TagLink = patchableComponent("TagLink", ({ tag }) => (
  <Badge variant="secondary" className="tag-item">
    {tag.name}
  </Badge>
));

/** Who is in it, as links. */
export function People({ row }) {
  return (
    <div className="performers">
      {row.performers.map((performer) => (
        <Link
          key={performer.id}
          to={`/performers/${performer.id}`}
          className="badge badge-secondary tag-item performer-link"
        >
          {performer.name}
        </Link>
      ))}
    </div>
  );
}

/** What is known of a scene, an image or a gallery. */
export function Details({ row }) {
  return (
    <div className="details">
      <h6>{row.date}</h6>
      <p>{row.details}</p>
      <h6>Performers</h6>
      <People row={row} />
      <h6>Tags</h6>
      {row.tags.map((tag) => (
        <TagLink key={tag.id} tag={tag} />
      ))}
    </div>
  );
}
