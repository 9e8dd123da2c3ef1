// What Stash itself has of the people: who is in a scene, image or gallery at this
// moment, and which performers of the library the proposed ones are.
import { Apollo, apolloClient, useEffect, useMemo, useState } from "../host.js";
import { addPerformers } from "../stash.js";
import { partsOf } from "./people.js";

const PERFORMER = "id name disambiguation image_path stash_ids { endpoint stash_id }";
const FINDERS = { scene: "findScene", image: "findImage", gallery: "findGallery" };
const IN_MEDIA = Object.fromEntries(
  Object.entries(FINDERS).map(([kind, finder]) => [
    kind,
    Apollo.gql(`
      query StashSenseWhoIsIn($id: ID!) {
        media: ${finder}(id: $id) { id performers { id } }
      }
    `),
  ])
);
const BOXES = Apollo.gql(`
  query StashSenseBoxes {
    configuration { general { stashBoxes { endpoint name } } }
  }
`);
const IMAGES = Apollo.gql(`
  query StashSenseImages($ids: [ID!]) {
    findImages(ids: $ids, filter: { per_page: -1 }) { images { id title paths { thumbnail } } }
  }
`);
const LOCAL = "local";
// As many are looked for by one request: a gallery may propose hundreds.
const IDS_PER_REQUEST = 40;
// What every `useLocalPerformers` that is shown asks again with.
const asking = new Set();

// What is asked here leaves Stash's cache alone: parts of a configuration or of paths in
// it would replace what Stash's own pages have there.
const apart = () => ({ client: apolloClient(), fetchPolicy: "no-cache" });

/** Ids of the performers in it as a set, or null while that is not known; and an error. */
export function usePerformersIn(kind, stashId) {
  const { data, error } = Apollo.useQuery(IN_MEDIA[kind], {
    client: apolloClient(),
    variables: { id: stashId },
    // Asked of Stash at first, then of the cache that changes are written into.
    fetchPolicy: "network-only",
    nextFetchPolicy: "cache-first",
  });
  const performers = data?.media?.performers;
  const ids = useMemo(
    () => (performers ? new Set(performers.map(({ id }) => id)) : null),
    [performers]
  );
  return { ids, error: error ?? null };
}

/** The stash-boxes of Stash by domain: `{ endpoint, name }`. */
export function useBoxes() {
  const { data } = Apollo.useQuery(BOXES, apart());
  const boxes = data?.configuration.general.stashBoxes;
  return useMemo(() => new Map((boxes ?? []).map((box) => [domainOf(box.endpoint), box])), [boxes]);
}

/**
 * Performers of the library who are meant by universal ids, as a Map; who is missing in it
 * is not in the library. `isKnown` is false until Stash has answered.
 */
export function useLocalPerformers(universalIds) {
  const asked = JSON.stringify([...new Set(universalIds)].sort());
  const [answer, setAnswer] = useState({ asked: "[]", locals: new Map(), error: null });
  useEffect(() => {
    let latest = 0;
    const ask = async () => {
      const turn = ++latest;
      const change = (to) => turn === latest && setAnswer((before) => ({ ...before, ...to }));
      try {
        change({ asked, locals: await findLocals(JSON.parse(asked)), error: null });
      } catch (error) {
        change({ error });
      }
    };
    asking.add(ask);
    ask();
    return () => {
      latest = -1;
      asking.delete(ask);
    };
  }, [asked]);
  return { locals: answer.locals, isKnown: answer.asked === asked, error: answer.error };
}

/** The performers of the library who have the id just now, past every cache. */
export const findLocal = async (universalId) => (await findLocals([universalId])).get(universalId);

async function findLocals(universalIds) {
  const searchable = universalIds.filter(isSearchable);
  const locals = new Map();
  for (let at = 0; at < searchable.length; at += IDS_PER_REQUEST) {
    const ids = searchable.slice(at, at + IDS_PER_REQUEST);
    const { data } = await apolloClient().query({
      ...searchFor(ids),
      fetchPolicy: "no-cache",
      // One that is under way may have been asked before the change that is looked for.
      context: { queryDeduplication: false },
    });
    localsIn(data, ids).forEach((performer, id) => locals.set(id, performer));
  }
  return locals;
}

/** Images of a gallery by id, for their titles and small pictures. */
export function useImages(ids) {
  const { data } = Apollo.useQuery(IMAGES, {
    ...apart(), variables: { ids }, skip: ids.length === 0,
  });
  const images = data?.findImages.images;
  return useMemo(() => new Map((images ?? []).map((image) => [image.id, image])), [images]);
}

/** Have `useLocalPerformers` ask again: somebody was created, or has another id. */
export const askForLocalsAgain = () => Promise.all([...asking].map((ask) => ask()));

/** Have Stash's pages list performers anew: one was created behind them. */
export function forgetListsOfPerformers() {
  const { cache } = apolloClient();
  // Not the page that is shown: it would load anew, and take an open dialog with it.
  for (const fieldName of ["findPerformers", "allPerformers"]) {
    cache.evict({ id: "ROOT_QUERY", fieldName });
  }
  cache.gc();
}

/** Add performers to it, and with `imageIds` to single images of a gallery as well. */
export async function addTo({ kind, stashId }, performerIds, imageIds = []) {
  // The images first: who is in the gallery is taken for done.
  if (imageIds.length > 0) await addToImages(imageIds, performerIds);
  await addPerformers(kind, [stashId], performerIds);
  return true;
}

/** Add performers to single images, and to nothing else. */
export async function addToImages(imageIds, performerIds) {
  await addPerformers("image", imageIds, performerIds);
  return true;
}

// Stash refuses a whole request for one id that is no number.
function isSearchable(universalId) {
  const { domain, boxId } = partsOf(universalId);
  return domain !== LOCAL || /^[1-9][0-9]{0,17}$/.test(boxId);
}

function searchFor(universalIds) {
  const variables = {};
  const searches = universalIds.map((universalId, n) => {
    const { domain, boxId } = partsOf(universalId);
    variables[`id${n}`] = boxId;
    // One who is gone is null; `findPerformers(ids: …)` would fail for all.
    if (domain === LOCAL) return `found${n}: findPerformer(id: $id${n}) { ${PERFORMER} }`;
    // Without the endpoint: Stash takes that into its SQL as it is.
    const meant = `{ stash_id_endpoint: { stash_id: $id${n}, modifier: EQUALS } }`;
    return `found${n}: findPerformers(performer_filter: ${meant}, filter: { per_page: -1 }) {
      performers { ${PERFORMER} }
    }`;
  });
  const types = universalIds.map(
    (universalId, n) => `$id${n}: ${partsOf(universalId).domain === LOCAL ? "ID!" : "String!"}`
  );
  const query = Apollo.gql(
    `query StashSenseLocals(${types.join(", ")}) { ${searches.join("\n")} }`
  );
  return { query, variables };
}

function localsIn(data, universalIds) {
  const locals = new Map();
  universalIds.forEach((universalId, n) => {
    const { domain, boxId } = partsOf(universalId);
    const found = data?.[`found${n}`];
    const performer = domain === LOCAL
      ? found
      : found?.performers.find((each) => each.stash_ids.some(
          ({ endpoint, stash_id }) => stash_id === boxId && domainOf(endpoint) === domain
        ));
    if (performer) locals.set(universalId, performer);
  });
  return locals;
}

/** The host of a stash-box's address, as universal ids have it. */
function domainOf(endpoint) {
  try {
    return new URL(endpoint).hostname;
  } catch {
    return endpoint;
  }
}

/** Where actions of the sidecar find the box of a candidate. */
export const endpointOf = ({ domain }, boxes) =>
  boxes.get(domain)?.endpoint ?? `https://${domain}/graphql`;

/** The candidate's page at their stash-box; null for performers of this Stash alone. */
export function boxPage(candidate, boxes) {
  if (candidate.domain === LOCAL) return null;
  try {
    const page = `/performers/${encodeURIComponent(candidate.boxId)}`;
    return new URL(page, endpointOf(candidate, boxes)).href;
  } catch {
    return null;
  }
}
