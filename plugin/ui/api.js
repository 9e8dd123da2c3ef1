// The one way to the sidecar: an operation of the plugin's backend, which Stash runs.
// Which modes there are, and what they answer, is told in docs/plugin.md.
import { Apollo, apolloClient } from "./host.js";

const RUN = Apollo.gql`
  mutation RunStashSense($args: Map!) {
    runPluginOperation(plugin_id: "stash-sense", args: $args)
  }
`;
// Each call is a Python process on Stash's machine: what is only shown waits its turn,
// what somebody pressed a button for does not.
const MOST_AT_ONCE = 3;

/**
 * What the sidecar, or the way to it, refused.
 * `code` is for programs (`sidecar_unreachable`, `name_collision`, ...), `message` for
 * people, `facts` is whatever else was said (`others`, `plan`, `retry_after`, ...).
 */
export class SidecarError extends Error {
  constructor({ error, code, status = null, facts = {} }) {
    super(error);
    this.name = "SidecarError";
    this.code = code;
    this.status = status;
    this.facts = facts ?? {};
  }
}

/** The answer of `mode`; throws SidecarError. */
export const call = (mode, args = {}) => run(mode, args);

/** The same for what is only shown: few at once. An aborted `signal` ends the process. */
export async function look(mode, args, signal) {
  await freePlace(signal);
  try {
    return await run(mode, args, signal);
  } finally {
    givePlaceBack();
  }
}

async function run(mode, args, signal) {
  try {
    return outputOf(
      await apolloClient().mutate({
        mutation: RUN,
        variables: { args: { ...args, mode } },
        fetchPolicy: "no-cache",
        context: { fetchOptions: { signal } },
      })
    );
  } catch (error) {
    if (error instanceof SidecarError || signal?.aborted) throw error;
    // Stash itself refused: the plugin is disabled, its Python is missing, it is down.
    throw new SidecarError({ error: error.message, code: "stash_refused" });
  }
}

function outputOf({ data }) {
  const output = data?.runPluginOperation ?? null;
  // What failed over there has an error and a code as well, and yet is an answer.
  if (output !== null && typeof output === "object" && typeof output.error === "string"
      && typeof output.code === "string" && "facts" in output) {
    throw new SidecarError(output);
  }
  if (typeof output === "string") {
    // The backend printed something else than its answer: Stash hands that on as text.
    throw new SidecarError({ error: output.slice(0, 500), code: "stash_refused" });
  }
  return output;
}

let taken = 0;
const waiting = [];

function freePlace(signal) {
  if (taken < MOST_AT_ONCE) {
    taken += 1;
    return undefined;
  }
  return new Promise((resolve, reject) => {
    waiting.push(resolve);
    signal.addEventListener("abort", () => {
      const place = waiting.indexOf(resolve);
      if (place >= 0) {
        waiting.splice(place, 1);
        reject(signal.reason);
      }
    });
  });
}

function givePlaceBack() {
  const next = waiting.shift();
  if (next === undefined) taken -= 1;
  else next();
}
