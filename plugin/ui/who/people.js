// The people of an answer of the sidecar, as the parts here show them.

/** A proposed performer: what was said of them, with the ids taken apart. */
function candidateOf(match, extras = new Map()) {
  const universalId = match.universal_id;
  const { domain, boxId } = partsOf(universalId);
  const more = extras.get(universalId) ?? {};
  return {
    universalId,
    name: match.name,
    domain,
    boxId,
    confidence: match.confidence,
    distance: match.distance,
    // Only where people are judged as a whole; confidence is a probability then.
    isCalibrated: match.score !== null && match.score !== undefined,
    country: match.country ?? more.country ?? null,
    picture: match.image_url ?? more.image_url ?? null,
  };
}

/** `{ domain, boxId }` of "stashdb.org:6f1c"; the domain "local" is this Stash. */
export function partsOf(universalId) {
  const at = universalId.lastIndexOf(":");
  return { domain: universalId.slice(0, at), boxId: universalId.slice(at + 1) };
}

/** Whom a person is taken for, or null. */
export const subjectOf = (person, extras) =>
  person.best_match ? candidateOf(person.best_match, extras) : null;

/** Everybody proposed for a person, the best first. */
export const candidatesOf = (person, extras) =>
  (person.all_matches ?? []).map((match) => candidateOf(match, extras));

/** A text that tells a face from all others of the same scene, image or gallery. */
export const faceKey = ({ frame, box }) => `${frame}-${box.x}-${box.y}-${box.width}`;

/** A text that stays a person's while people are numbered anew. */
export const personKey = (person) =>
  person.faces.length > 0 ? faceKey(person.faces[0]) : `number-${person.person_id}`;

/** Whether two answers speak of one person: person ids are given anew by every match. */
export const isSamePerson = (one, other) =>
  one !== undefined && other !== undefined
  && one.decision === other.decision
  && one.best_match?.universal_id === other.best_match?.universal_id
  && JSON.stringify(one.faces) === JSON.stringify(other.faces);

/** The person of `people` who has a face of `person`; undefined where nobody has. */
export function personWithFaceOf(person, people) {
  const keys = new Set(person.faces.map(faceKey));
  return people.find(({ faces }) => faces.some((face) => keys.has(faceKey(face))));
}

/** The people of a job, under way or ended, as far as it tells of them. */
export function peopleOfJob({ kind, persons = [], performers = [], result = null }) {
  if (kind === "gallery") {
    return [
      ...performers.map(personOfGallery("known")),
      ...(result?.uncertain ?? []).map(personOfGallery("uncertain")),
      ...(result?.unknown ?? []).map(personOfGallery("unknown")),
    ];
  }
  if (kind === "image") return (result?.faces ?? []).map(personOfFace);
  return persons;
}

const personOfGallery = (decision) => (person, number) => ({
  person_id: person.person_id ?? number,
  frame_count: person.image_count,
  decision,
  best_match: decision === "known" ? { ...person, distance: person.best_distance } : null,
  all_matches: person.candidates ?? [],
  faces: [],
  imageIds: person.image_ids,
  crop: person.crop,
});

const personOfFace = ({ matches, candidates, decision, box, crop, person_id }, number) => ({
  person_id: person_id ?? number,
  frame_count: 1,
  decision,
  best_match: decision === "known" ? matches[0] ?? null : null,
  all_matches: candidates,
  faces: [{ frame: 0, timestamp: null, box, quality: 0 }],
  crop,
});

/** Of a finished job: pictures by the key of a face, and what else it told of performers. */
export function toldByJob(job) {
  const crops = new Map();
  const extras = new Map();
  const tell = (match) => match && extras.set(match.universal_id, match);
  for (const person of job ? peopleOfJob(job) : []) {
    for (const face of person.crop ? person.faces : []) {
      crops.set(faceKey(face), person.crop);
    }
    [person.best_match, ...(person.all_matches ?? [])].forEach(tell);
  }
  return { crops, extras };
}

/** Ids of the images of a gallery that a person is on, each once. */
export const imagesOf = (person, imageIds = []) => [
  ...new Set(
    person.imageIds
    ?? person.faces.map(({ frame }) => imageIds[frame]).filter((id) => id !== undefined)
  ),
];

// More would be a wall of buttons.
const MOST_MOMENTS = 6;

/** When a person is seen, in order: the clearest faces, or all; none twice in a second. */
export function momentsOf(person, { areAll = false } = {}) {
  const clearest = [...person.faces]
    .filter(({ timestamp }) => timestamp !== null && timestamp !== undefined)
    .sort((one, other) => other.quality - one.quality);
  const seen = new Map();
  for (const { timestamp } of clearest) {
    if (!areAll && seen.size >= MOST_MOMENTS) break;
    const second = Math.floor(timestamp);
    if (!seen.has(second)) seen.set(second, timestamp);
  }
  return [...seen.values()].sort((one, other) => one - other);
}
