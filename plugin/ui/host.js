// What Stash hands to plugins, under the names that the modules here use.
const { PluginApi } = window;

export const { React } = PluginApi;
export const { Fragment, useCallback, useEffect, useMemo, useRef, useState } = React;
export const h = React.createElement;

export const {
  Alert, Badge, Button, ButtonGroup, Card, Col, Collapse, Dropdown, Form, InputGroup,
  Modal, Nav, ProgressBar, Row, Spinner, Table, Tabs, Tab,
} = PluginApi.libraries.Bootstrap;

export const {
  Link, NavLink, Redirect, Route, Switch, useHistory, useLocation, useParams, useRouteMatch,
} = PluginApi.libraries.ReactRouterDOM;

export const { FontAwesomeSolid: icons, Intl: intlLibrary, Apollo } = PluginApi.libraries;

export const ROUTE = "/plugins/stash-sense";

/** An icon of Font Awesome, by its name: `h(Icon, { name: "faStop" })`. */
export function Icon({ name }) {
  // Found when it is shown: Stash fills its components as it loads its own parts.
  const StashIcon = PluginApi.components.Icon;
  return StashIcon === undefined ? null : h(StashIcon, { icon: icons[name] });
}

/** Short notices at the edge of the page: `toast.success(text)`, `toast.error(text)`. */
export const useToast = () => PluginApi.hooks.useToast();

/** Stash's Apollo client, whose cache its pages show. */
export const apolloClient = () => PluginApi.utils.StashService.getClient();

/** The player of the scene that is shown (video.js), or undefined where there is none. */
export const scenePlayer = () => PluginApi.utils.InteractiveUtils?.getPlayer?.();
