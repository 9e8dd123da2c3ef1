// The plugin's own pages: which there are, and the way between them.
import {
  Alert, Apollo, apolloClient, h, Nav, NavLink, React, ROUTE, Route, Switch, useEffect, useState,
} from "./host.js";
import { Busy } from "./parts/feedback.js";
import { t } from "./texts.js";

const page = (load) => React.lazy(load);
const PAGES = [
  ["dashboard", "", page(() => import("./pages/dashboard.js"))],
  ["recommendations", "/recommendations", page(() => import("./pages/recommendations.js"))],
  ["people", "/people", page(() => import("./pages/people.js"))],
  ["quality", "/quality", page(() => import("./pages/quality.js"))],
  ["operations", "/operations", page(() => import("./pages/operations.js"))],
  ["settings", "/settings", page(() => import("./pages/settings.js"))],
];
const Recommendation = page(() => import("./pages/recommendation.js"));

const VERSION = Apollo.gql`
  query StashSenseVersion {
    version {
      version
    }
  }
`;

/** Everything at ROUTE; a notice where Stash is too old for it. */
export default function App() {
  const oldVersion = useOldVersion();
  useEffect(() => {
    const before = document.title;
    document.title = t("common.title");
    return () => {
      document.title = before;
    };
  }, []);
  if (oldVersion !== null) {
    return h(
      Alert,
      { variant: "warning", className: "stash-sense-problem" },
      h(Alert.Heading, null, t("old.title")),
      t("old.body", { version: oldVersion })
    );
  }
  return h(
    "div",
    { className: "stash-sense" },
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
      React.Suspense,
      { fallback: h(Busy) },
      h(
        Switch,
        null,
        h(Route, { path: `${ROUTE}/recommendations/:id`, component: Recommendation }),
        [...PAGES].reverse().map(([name, path, component]) =>
          h(Route, { key: name, path: ROUTE + path, component })
        )
      )
    )
  );
}

/** Stash's version where it is older than 0.28, else null. */
function useOldVersion() {
  const [oldVersion, setOldVersion] = useState(null);
  useEffect(() => {
    apolloClient()
      .query({ query: VERSION })
      .then(({ data }) => {
        const version = data.version.version ?? "";
        const [, major, minor] = /^v?(\d+)\.(\d+)/.exec(version) ?? [null, "0", "99"];
        if (Number(major) === 0 && Number(minor) < 28) setOldVersion(version);
      })
      .catch((error) => console.warn("Stash Sense:", error.message));
  }, []);
  return oldVersion;
}
