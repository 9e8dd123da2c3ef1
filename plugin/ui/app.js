// The plugin's own pages: which there are, and the way between them.
import { h, Nav, NavLink, ROUTE, Route, Switch, useEffect } from "./host.js";
import { pageOf } from "./parts/boundary.js";
import { t } from "./texts.js";
import { WithNewStash } from "./version.js";

const PAGES = [
  ["dashboard", "", pageOf(() => import("./pages/dashboard.js"))],
  ["recommendations", "/recommendations", pageOf(() => import("./pages/recommendations.js"))],
  ["people", "/people", pageOf(() => import("./pages/people.js"))],
  ["quality", "/quality", pageOf(() => import("./pages/quality.js"))],
  ["operations", "/operations", pageOf(() => import("./pages/operations.js"))],
  ["settings", "/settings", pageOf(() => import("./pages/settings.js"))],
];
const Recommendation = pageOf(() => import("./pages/recommendation.js"));

/** Everything at ROUTE; a notice where Stash is too old for it. */
export default function App() {
  useEffect(() => {
    const before = document.title;
    document.title = t("common.title");
    return () => {
      document.title = before;
    };
  }, []);
  return h("div", { className: "stash-sense" }, h(WithNewStash, null, () => h(Pages)));
}

function Pages() {
  return h(
    "div",
    null,
    h("h1", { className: "sr-only" }, t("common.title")),
    h(
      Nav,
      { variant: "tabs", className: "stash-sense-pages", "aria-label": t("nav.label") },
      PAGES.map(([name, path]) =>
        h(
          Nav.Item,
          { key: name },
          h(NavLink, { to: ROUTE + path, exact: path === "", className: "nav-link" }, t(`nav.${name}`))
        )
      )
    ),
    h(
      Switch,
      null,
      h(Route, { path: `${ROUTE}/recommendations/:id`, component: Recommendation }),
      [...PAGES].reverse().map(([name, path, component]) =>
        h(Route, { key: name, path: ROUTE + path, component })
      )
    )
  );
}
