/** window.PluginApi: what scripts of plugins are given. */
import * as Apollo from "@apollo/client";
import * as FontAwesomeBrands from "@fortawesome/free-brands-svg-icons";
import * as FontAwesomeRegular from "@fortawesome/free-regular-svg-icons";
import * as FontAwesomeSolid from "@fortawesome/free-solid-svg-icons";
import * as ReactFontAwesome from "@fortawesome/react-fontawesome";
import * as Bootstrap from "react-bootstrap";
import * as Intl from "react-intl";
import * as ReactRouterDOM from "react-router-dom";
import * as ReactSelect from "react-select";
import Mousetrap from "mousetrap";
import React from "react";
import ReactDOM from "react-dom";
import * as StashService from "./client";
import { loadComponents, useLoadComponents, useSettings, useToast } from "./hooks";
import { useSpriteInfo } from "./sprites";
import { components, patch, registerComponent } from "./patching";
import { has, present } from "./versions";

/** What plugins put at addresses, in their order. */
export const routes = [];

const events = new EventTarget();

/** Tells plugins of another page. */
export function dispatchLocation(location) {
  events.dispatchEvent(
    new CustomEvent("stash:location", { detail: { data: { location } } })
  );
}

// Which module defines what; `components` has it once that is loaded.
const cards = () => import("./cards");
const selects = () => import("./selects");
const scene = () => import("./pages/ScenePage");
const lists = () => import("./pages/lists");
const loadableComponents = has("PerformerSelect")
  ? {
      SceneCard: cards,
      PerformerSelect: selects,
      ...(has("TagLink") && {
        PerformerCard: cards,
        TagLink: cards,
        Scene: scene,
        ScenePlayer: () => import("./player"),
        Scenes: lists,
        SceneList: lists,
        Performers: lists,
        Galleries: lists,
        Images: lists,
        Settings: () => import("./pages/SettingsPage"),
      }),
    }
  : { SceneCard: cards };

const NavUtils = {
  makePerformerScenesUrl: ({ id }) => `/performers/${id}/scenes`,
  makeTagScenesUrl: ({ id }) => `/tags/${id}/scenes`,
};

const InteractiveUtils = {
  getPlayer: () => playerModule?.getPlayer(),
  interactiveClientProvider: undefined,
};

let playerModule;

/** Makes the player known once a page with one is open. */
export function setPlayerModule(module) {
  playerModule = module;
}

export const PluginApi = {
  ...present({ React, ReactDOM }),
  GQL: StashService.GQL,
  libraries: present({
    ReactRouterDOM,
    Bootstrap,
    Apollo,
    Intl,
    FontAwesomeRegular,
    FontAwesomeSolid,
    FontAwesomeBrands,
    Mousetrap,
    MousetrapPause: Mousetrap,
    ReactSelect,
    ReactFontAwesome,
  }),
  register: {
    route: (path, component) => routes.push({ path, component }),
    component: registerComponent,
  },
  patch,
  components,
  loadableComponents,
  hooks: present({ useLoadComponents, useSpriteInfo, useToast, useSettings }),
  utils: present({ NavUtils, StashService, loadComponents, InteractiveUtils }),
  ...present({
    Event: {
      addEventListener: (...listening) => events.addEventListener(...listening),
      removeEventListener: (...listening) => events.removeEventListener(...listening),
    },
  }),
};
