// What the plugin asks of Stash itself, as the user who is signed in, and through Stash's
// own Apollo client, so that Stash's pages show what was changed.
import { Apollo, apolloClient } from "./host.js";

// ADD changes nothing but what it names: whoever else edits the same scene loses nothing.
const ADD_PERFORMERS = {
  scene: Apollo.gql`
    mutation StashSenseAddToScenes($ids: [ID!]!, $performers: BulkUpdateIds!) {
      bulkSceneUpdate(input: { ids: $ids, performer_ids: $performers }) {
        id
        performers {
          id
        }
      }
    }
  `,
  image: Apollo.gql`
    mutation StashSenseAddToImages($ids: [ID!]!, $performers: BulkUpdateIds!) {
      bulkImageUpdate(input: { ids: $ids, performer_ids: $performers }) {
        id
        performers {
          id
        }
      }
    }
  `,
  gallery: Apollo.gql`
    mutation StashSenseAddToGalleries($ids: [ID!]!, $performers: BulkUpdateIds!) {
      bulkGalleryUpdate(input: { ids: $ids, performer_ids: $performers }) {
        id
        performers {
          id
        }
      }
    }
  `,
};

const PAGES = { scene: "scenes", image: "images", gallery: "galleries" };

/**
 * Add performers to scenes, images or galleries (`kind`), and to nothing else of them.
 * Resolves when Stash has done it; throws its own refusal.
 */
export async function addPerformers(kind, stashIds, performerIds) {
  // The answer names the performers, so Stash's pages fetch what they lack of them.
  await apolloClient().mutate({
    mutation: ADD_PERFORMERS[kind],
    variables: {
      ids: stashIds,
      performers: { ids: performerIds, mode: "ADD" },
    },
  });
}

const TYPES = {
  scene: "Scene", image: "Image", gallery: "Gallery", performer: "Performer", tag: "Tag", studio: "Studio",
};

/**
 * Have Stash's pages ask again for what the sidecar has changed of a thing: for the field
 * `fieldName` alone, which leaves a page that shows it as it is, or for all of it.
 */
export function forget(kind, stashId, fieldName) {
  const { cache } = apolloClient();
  cache.evict({ id: cache.identify({ __typename: TYPES[kind], id: String(stashId) }), fieldName });
  cache.gc();
}

/** Where Stash shows a thing: `stashPage("performer", 3)` is /performers/3. */
export const stashPage = (kind, stashId) =>
  `/${PAGES[kind] ?? `${kind}s`}/${encodeURIComponent(stashId)}`;

/** Where Stash serves the picture of a performer, studio, tag or scene. */
export const stashPicture = (kind, stashId) =>
  new URL(
    `${kind}/${encodeURIComponent(stashId)}/${kind === "scene" ? "screenshot" : "image"}`,
    document.baseURI
  ).href;

/** What Stash answers to a query at this moment, whatever its pages keep. */
export async function askStash(query, variables = {}) {
  const { data } = await apolloClient().query({ query, variables, fetchPolicy: "no-cache" });
  return data;
}

// What Stash's pages keep answers to.
const KEPT = Object.entries(TYPES).flatMap(([kind, type]) => {
  const many = PAGES[kind] ?? `${kind}s`;
  return [type, many[0].toUpperCase() + many.slice(1)];
});

/** Have Stash's pages ask anew for what they show next: something was changed behind them. */
export function forgetWhatStashShows() {
  const { cache } = apolloClient();
  for (const each of KEPT) cache.evict({ id: "ROOT_QUERY", fieldName: `find${each}` });
  // Their pages would show what is kept of each thing, whatever was asked for it.
  const types = Object.values(TYPES);
  for (const id of Object.keys(cache.extract())) {
    if (types.includes(id.split(":")[0])) cache.evict({ id });
  }
  cache.gc();
}
