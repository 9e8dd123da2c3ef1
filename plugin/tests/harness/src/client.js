/** The Apollo client and the documents of the harness's own pages. */
import {
  ApolloClient, InMemoryCache, createHttpLink, gql, useMutation, useQuery,
} from "@apollo/client";

const PERFORMER = "id name disambiguation alias_list image_path gender birthdate";
const TAGGED =
  "id title date details organized urls performers { PERFORMER } tags { id name } " +
  "studio { id name }";

function document(text) {
  return gql(text.replaceAll("TAGGED", TAGGED).replaceAll("PERFORMER", PERFORMER));
}

export const GQL = {
  FindSceneDocument: document(
    `query FindScene($id: ID!) { findScene(id: $id) { TAGGED code director
      paths { screenshot stream vtt sprite } sceneStreams { url mime_type label }
      files { id path basename size duration width height
        fingerprints { type value } }
      stash_ids { endpoint stash_id } galleries { id title } } }`
  ),
  FindScenesDocument: document(
    `query FindScenes($filter: FindFilterType, $scene_filter: SceneFilterType) {
      findScenes(filter: $filter, scene_filter: $scene_filter) {
        count scenes { TAGGED paths { screenshot } files { id duration } } } }`
  ),
  FindImageDocument: document(
    `query FindImage($id: ID!) { findImage(id: $id) { TAGGED
      paths { image thumbnail } galleries { id title } } }`
  ),
  FindImagesDocument: document(
    `query FindImages($filter: FindFilterType, $image_filter: ImageFilterType) {
      findImages(filter: $filter, image_filter: $image_filter) {
        count images { TAGGED paths { image thumbnail } } } }`
  ),
  FindGalleryDocument: document(
    `query FindGallery($id: ID!) { findGallery(id: $id) { TAGGED image_count } }`
  ),
  FindGalleriesDocument: document(
    `query FindGalleries($filter: FindFilterType) { findGalleries(filter: $filter) {
      count galleries { TAGGED image_count paths { cover } } } }`
  ),
  FindPerformerDocument: document(
    `query FindPerformer($id: ID!) { findPerformer(id: $id) { PERFORMER urls country
      details stash_ids { endpoint stash_id } scene_count image_count } }`
  ),
  FindPerformersDocument: document(
    `query FindPerformers($filter: FindFilterType,
      $performer_filter: PerformerFilterType) {
      findPerformers(filter: $filter, performer_filter: $performer_filter) {
        count performers { PERFORMER } } }`
  ),
  SceneUpdateDocument: document(
    `mutation SceneUpdate($input: SceneUpdateInput!) {
      sceneUpdate(input: $input) { TAGGED } }`
  ),
  BulkSceneUpdateDocument: document(
    `mutation BulkSceneUpdate($input: BulkSceneUpdateInput!) {
      bulkSceneUpdate(input: $input) { TAGGED } }`
  ),
  BulkImageUpdateDocument: document(
    `mutation BulkImageUpdate($input: BulkImageUpdateInput!) {
      bulkImageUpdate(input: $input) { TAGGED } }`
  ),
  BulkGalleryUpdateDocument: document(
    `mutation BulkGalleryUpdate($input: BulkGalleryUpdateInput!) {
      bulkGalleryUpdate(input: $input) { TAGGED } }`
  ),
  PluginsDocument: gql`
    query Plugins {
      plugins {
        id name enabled version requires
        settings { name display_name description type }
        tasks { name description }
        hooks { name description hooks }
        paths { javascript css }
      }
    }
  `,
  ConfigurationDocument: gql`
    query Configuration {
      configuration {
        general { apiKey stashBoxes { endpoint name } }
        plugins
      }
    }
  `,
  ConfigurePluginDocument: gql`
    mutation ConfigurePlugin($plugin_id: ID!, $input: Map!) {
      configurePlugin(plugin_id: $plugin_id, input: $input)
    }
  `,
  RunPluginTaskDocument: gql`
    mutation RunPluginTask($plugin_id: ID!, $task_name: String!, $args_map: Map) {
      runPluginTask(
        plugin_id: $plugin_id, task_name: $task_name, args_map: $args_map
      )
    }
  `,
  JobQueueDocument: gql`
    query JobQueue { jobQueue { id status subTasks description progress error } }
  `,
  StopJobDocument: gql`
    mutation StopJob($job_id: ID!) { stopJob(job_id: $job_id) }
  `,
  VersionDocument: gql`
    query Version { version { version } }
  `,
};

const client = new ApolloClient({
  link: createHttpLink({ uri: "/graphql", credentials: "same-origin" }),
  cache: new InMemoryCache(),
});

export const getClient = () => client;

const finding = (name) => (id) => useQuery(GQL[name], { variables: { id }, skip: !id });

export const useFindScene = finding("FindSceneDocument");
export const useFindImage = finding("FindImageDocument");
export const useFindGallery = finding("FindGalleryDocument");
export const useFindPerformer = finding("FindPerformerDocument");
export const useConfiguration = () => useQuery(GQL.ConfigurationDocument);
export const usePlugins = () => useQuery(GQL.PluginsDocument);

const changing = (name) => () => useMutation(GQL[name]);

export const useSceneUpdate = changing("SceneUpdateDocument");
export const useBulkSceneUpdate = changing("BulkSceneUpdateDocument");
export const useBulkImageUpdate = changing("BulkImageUpdateDocument");
export const useBulkGalleryUpdate = changing("BulkGalleryUpdateDocument");
export const useConfigurePlugin = changing("ConfigurePluginDocument");

/** Has the next look at these queries go to the server. */
export function evictQueries(cache, documents) {
  for (const { definitions } of documents) {
    for (const field of definitions[0].selectionSet.selections) {
      cache.evict({ id: "ROOT_QUERY", fieldName: field.name.value });
    }
  }
  cache.gc();
}

export const queryFindPerformers = (filter) =>
  client.query({
    query: GQL.FindPerformersDocument,
    variables: { filter },
    fetchPolicy: "network-only",
  });

/** Loses the arguments, as Stash's own does: it gives them a name nobody reads. */
export const mutateRunPluginTask = (pluginId, taskName) =>
  client.mutate({
    mutation: GQL.RunPluginTaskDocument,
    variables: { plugin_id: pluginId, task_name: taskName },
  });

export const mutateStopJob = (jobId) =>
  client.mutate({ mutation: GQL.StopJobDocument, variables: { job_id: jobId } });

export { document };
