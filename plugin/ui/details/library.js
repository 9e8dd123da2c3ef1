// What the details show of the library: asked of Stash in the browser, as whoever looks.
import { Apollo, h, Link, useCallback, useEffect, useRef, useState } from "../host.js";
import { Picture } from "../parts/media.js";
import { askStash, stashPage, stashPicture } from "../stash.js";
import { named } from "./words.js";

const PERFORMERS = Apollo.gql`
  query StashSensePerformers($ids: [ID!]) {
    findPerformers(ids: $ids, filter: { per_page: -1 }) {
      performers {
        id name disambiguation alias_list gender birthdate country
        scene_count image_count gallery_count
        stash_ids { endpoint stash_id }
      }
    }
  }
`;
const SCENES = Apollo.gql`
  query StashSenseScenes($ids: [ID!]) {
    findScenes(ids: $ids, filter: { per_page: -1 }) {
      scenes {
        id title date
        studio { id name }
        performers { id name }
        tags { id name }
        stash_ids { endpoint stash_id }
        files { id path size duration width height video_codec audio_codec bit_rate frame_rate }
      }
    }
  }
`;
const LINKS = {
  performer: Apollo.gql`
    query StashSensePerformerLinks($ids: [ID!]) {
      found: findPerformers(ids: $ids, filter: { per_page: -1 }) {
        rows: performers { id name stash_ids { endpoint stash_id } }
      }
    }
  `,
  tag: Apollo.gql`
    query StashSenseTagLinks($ids: [ID!]) {
      found: findTags(ids: $ids, filter: { per_page: -1 }) {
        rows: tags { id name stash_ids { endpoint stash_id } }
      }
    }
  `,
  studio: Apollo.gql`
    query StashSenseStudioLinks($ids: [ID!]) {
      found: findStudios(ids: $ids, filter: { per_page: -1 }) {
        rows: studios { id name stash_ids { endpoint stash_id } }
      }
    }
  `,
};

/** Performers by id, in a Map; those that are gone are not in it. */
export async function findPerformers(ids) {
  return byId(ids, async () => (await askStash(PERFORMERS, { ids })).findPerformers.performers);
}

/** Scenes by id, in a Map; those that are gone are not in it. */
export async function findScenes(ids) {
  return byId(ids, async () => (await askStash(SCENES, { ids })).findScenes.scenes);
}

/** Names and stash ids of performers, tags or studios by id, in a Map. */
export async function findLinks(kind, ids) {
  return byId(ids, async () => (await askStash(LINKS[kind], { ids })).found.rows);
}

async function byId(ids, ask) {
  // Asked for none, Stash would answer with all.
  const rows = ids.length === 0 ? [] : await ask();
  return new Map(rows.map((row) => [row.id, row]));
}

/** `{ data, error, isLoading, reload }` of a function of `args`, asked when these change. */
export function useFound(find, ...args) {
  const [state, setState] = useState({ data: undefined, error: null, isLoading: true });
  const asked = JSON.stringify(args);
  const latest = useRef(null);
  const reload = useCallback(async () => {
    const mine = (latest.current = {});
    const change = (to) => latest.current === mine && setState((before) => ({ ...before, ...to }));
    change({ isLoading: true });
    try {
      change({ data: await find(...JSON.parse(asked)), error: null, isLoading: false });
    } catch (error) {
      change({ error, isLoading: false });
    }
  }, [find, asked]);
  useEffect(() => {
    reload();
    return () => {
      latest.current = null;
    };
  }, [reload]);
  return { ...state, reload };
}

/** A link to where Stash shows a thing, by its name. */
export function StashLink({ kind, id, name }) {
  return h(Link, { to: stashPage(kind, id) }, named(name, `${kind} ${id}`));
}

/** The picture of a thing of the library, small unless `className` says otherwise. */
export const LibraryPicture = ({ kind, id, name, className = "stash-sense-rec-thumb" }) =>
  h(
    "span",
    { className: `${className} stash-sense-rec-thumb-${kind}` },
    h(Picture, { src: stashPicture(kind, id), alt: String(name ?? "") })
  );
