/**
 * patch.before, patch.instead and patch.after, and the components they apply to.
 * A component is listed in `components` once the module that defines it is loaded.
 */
import React from "react";
import { has } from "./versions";

export const components = {};

const befores = new Map();
const insteads = new Map();
const afters = new Map();

function add(patches, name, fn) {
  if (typeof fn !== "function") throw new Error(`a patch of ${name} is no function`);
  patches.set(name, [...(patches.get(name) ?? []), fn]);
}

export const patch = {
  before: (name, fn) => add(befores, name, fn),
  instead: (name, fn) => add(insteads, name, fn),
  after: (name, fn) => add(afters, name, fn),
};

function apply(name, original, args) {
  let given = args;
  for (const before of befores.get(name) ?? []) {
    given = before(...given);
    if (!Array.isArray(given)) {
      throw new Error(`patch.before of ${name} returned no array of arguments`);
    }
  }
  const chain = (insteads.get(name) ?? []).reduce(
    (next, instead) => (...inner) => instead(...inner, next),
    original
  );
  const result = chain(...given);
  return (afters.get(name) ?? []).reduce((last, after) => after(...given, last), result);
}

/** A function that plugins may patch. */
export function patchable(name, original) {
  if (!has(name)) return original;
  return (...args) => apply(name, original, args);
}

/** A component that plugins may patch, listed under its name. */
export function patchableComponent(name, original) {
  const Component = patchable(name, original);
  Component.displayName = `Patchable(${name})`;
  if (has(name)) components[name] = Component;
  return Component;
}

/** A component that only holds children, for plugins to add some. */
export function patchableContainer(name) {
  return patchableComponent(name, (props) => <>{props.children}</>);
}

/** Lists a plugin's component; a name that is in use is refused. */
export function registerComponent(name, component) {
  if (components[name]) throw new Error(`the component ${name} is registered already`);
  components[name] = component;
}
