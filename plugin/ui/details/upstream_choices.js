// What somebody chose of each field that a stash-box says otherwise, and what is written.
import { items } from "./words.js";

export const [MINE, THEIRS, OWN] = ["mine", "theirs", "own"];
const LIST = "alias_list";
// Told by ids; a text of one's own is none.
const BY_ID = ["parent_studio"];
// What adds to a list as it is in Stash when it is written, not when it was looked at.
const ADDING = { aliases: "_alias_add", urls: "_url_add" };

export const isList = (change) => change.merge_type === LIST;
export const takesText = (change) => !isList(change) && !BY_ID.includes(change.field);

/** What a choice is remembered by: another value there or here is another question. */
export const keyOf = (change) =>
  JSON.stringify([change.field, change.local_value, change.upstream_value]);

/** Every entry of a list, once whatever its letter case, and who has it. */
export function union(change) {
  const entries = new Map();
  const add = (list, whose) => {
    for (const text of items(list).map(String)) {
      const key = text.trim().toLocaleLowerCase().replace(/\/$/, "");
      const known = entries.get(key) ?? { text, isMine: false, isTheirs: false };
      entries.set(key, { ...known, [whose]: true });
    }
  };
  add(change.local_value, "isMine");
  add(change.upstream_value, "isTheirs");
  return [...entries.values()];
}

/** What is chosen at first: theirs, but one's own where both changed it; of lists all. */
export function firstChoice(change) {
  if (isList(change)) return { entries: union(change).map(({ text }) => text) };
  return { pick: change.is_conflict ? MINE : THEIRS, text: textOf(change.upstream_value) };
}

/** The choice of all that one side says. */
export function choiceOfAll(change, pick) {
  if (!isList(change)) return { pick, text: textOf(change.upstream_value) };
  const whose = pick === MINE ? "isMine" : "isTheirs";
  return { entries: union(change).filter((each) => each[whose]).map(({ text }) => text) };
}

/**
 * The fields to be written; those that stay as they are, are not among them. A list is
 * added to, and written whole where something of one's own is left out of it.
 */
export function fieldsOf(changes, choiceOf) {
  const fields = {};
  for (const change of items(changes)) {
    const choice = choiceOf(change);
    if (isList(change)) {
      const wanted = new Set(choice.entries);
      const [mine, theirs] = [true, false].map((whose) => union(change).filter(({ isMine }) => isMine === whose));
      const chosen = (entries) => entries.map(({ text }) => text).filter((text) => wanted.has(text));
      const [kept, more] = [chosen(mine), chosen(theirs)];
      const adding = ADDING[change.field];
      if (kept.length < mine.length || (more.length > 0 && !adding)) fields[change.field] = [...kept, ...more];
      else if (more.length > 0) fields[adding] = more;
    } else if (choice.pick === THEIRS) {
      fields[change.field] = change.upstream_value;
    } else if (choice.pick === OWN && choice.text !== textOf(change.local_value)) {
      fields[change.field] = choice.text.trim() === "" ? null : choice.text;
    }
  }
  return fields;
}

export const textOf = (value) => (value === null || value === undefined ? "" : String(value));
