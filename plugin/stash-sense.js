// The one script that Stash loads with its own page. It registers what the plugin shows
// and asks nothing of anybody: everything else is an ES module of ui/, which is imported
// when it is first shown. Of Stash it uses PluginApi alone, never its markup.
"use strict";

(() => {
  const { PluginApi } = window;
  if (PluginApi === undefined) {
    console.info("Stash Sense needs Stash 0.28 or newer.");
    return;
  }
  const { React, libraries, patch, register } = PluginApi;
  const h = React.createElement;

  // The manifest maps assets/VERSION to ui/, so no browser keeps modules of another one.
  const VERSION = "1.0.0";
  const ROUTE = "/plugins/stash-sense";
  // Shown before ui/texts is there.
  const LABELS = {
    name: "Stash Sense",
    tab: "Faces",
    button: "Who is in it?",
    failed: "This part of Stash Sense could not be loaded.",
    again: "Try again",
  };

  const address = (module) =>
    new URL(`plugin/stash-sense/assets/${VERSION}/${module}`, document.baseURI).href;

  // A failed import is remembered by React.lazy, so trying again makes a new one.
  const lazily = (module) => {
    const load = () => React.lazy(() => import(address(module)));
    return class Part extends React.Component {
      constructor(props) {
        super(props);
        this.state = { Content: load(), error: null };
      }

      static getDerivedStateFromError(error) {
        return { error };
      }

      componentDidCatch(error) {
        console.error("Stash Sense:", error);
      }

      render() {
        if (this.state.error !== null) {
          return h(
            "div",
            { className: "stash-sense-problem stash-sense-part-problem", role: "alert" },
            h("p", null, LABELS.failed),
            h("p", { className: "stash-sense-quiet" }, String(this.state.error.message)),
            h(
              "button",
              {
                type: "button",
                className: "btn btn-secondary",
                onClick: () => this.setState({ Content: load(), error: null }),
              },
              LABELS.again
            )
          );
        }
        return h(
          React.Suspense,
          { fallback: h("div", { className: "stash-sense-loading", "aria-busy": true }) },
          h(this.state.Content, this.props)
        );
      }
    };
  };

  // What is imported finds the language of Stash's interface in the document.
  const localised = (Part) => (props) => {
    document.documentElement.dataset.stashSenseLocale = libraries.Intl.useIntl().locale;
    return h(Part, props);
  };

  const Page = localised(lazily("app.js"));
  const SceneTab = localised(lazily("who/scene_tab.js"));
  const WhoDialog = localised(lazily("who/dialog.js"));

  const Icon = (props) => {
    // Not a component yet when this script runs.
    const StashIcon = PluginApi.components.Icon;
    return StashIcon === undefined ? null : h(StashIcon, props);
  };

  // The plugin's pages, and a way there.
  register.route(ROUTE, Page);
  const { Nav, Tab } = libraries.Bootstrap;
  patch.before("MainNavBar.MenuItems", (props) => [
    {
      ...props,
      children: h(
        React.Fragment,
        null,
        props.children,
        h(
          Nav.Link,
          {
            as: "div",
            eventKey: ROUTE,
            className: "col-4 col-sm-3 col-md-2 col-lg-auto",
          },
          h(
            libraries.ReactRouterDOM.NavLink,
            {
              to: ROUTE,
              className:
                "minimal p-4 p-xl-2 d-flex d-xl-inline-block flex-column " +
                "justify-content-between align-items-center btn btn-primary",
            },
            h(Icon, {
              icon: libraries.FontAwesomeSolid.faIdBadge,
              className: "nav-menu-icon d-block d-xl-inline mb-2 mb-xl-0",
            }),
            h("span", null, LABELS.name)
          )
        )
      ),
    },
  ]);

  // Scenes: a tab of their page.
  const TAB = "stash-sense-panel";
  patch.before("ScenePage.Tabs", (props) => [
    {
      ...props,
      children: h(
        React.Fragment,
        null,
        props.children,
        h(Nav.Item, null, h(Nav.Link, { eventKey: TAB }, LABELS.tab))
      ),
    },
  ]);
  patch.before("ScenePage.TabContent", (props) => [
    {
      ...props,
      children: h(
        React.Fragment,
        null,
        props.children,
        // Nothing is asked for before somebody opens the tab.
        h(
          Tab.Pane,
          { eventKey: TAB, mountOnEnter: true },
          h(SceneTab, {
            // Stash shows the next scene in the same tab.
            key: props.scene.id,
            scene: props.scene,
            setTimestamp: props.setTimestamp,
          })
        )
      ),
    },
  ]);

  // Images and galleries: a button, and what it opens.
  const WhoButton = ({ kind, stashId }) => {
    const [isOpen, setIsOpen] = React.useState(false);
    const opener = React.useRef(null);
    const close = () => {
      setIsOpen(false);
      opener.current?.focus();
    };
    return h(
      "div",
      { className: "stash-sense-who" },
      h(
        "button",
        {
          ref: opener,
          type: "button",
          className: "btn btn-secondary stash-sense-who-button",
          onClick: () => setIsOpen(true),
        },
        h(Icon, { icon: libraries.FontAwesomeSolid.faIdBadge }),
        " ",
        LABELS.button
      ),
      isOpen && h(WhoDialog, { kind, stashId, onClose: close })
    );
  };
  const below = (button, shown) => h(React.Fragment, null, button, shown);
  patch.after("ImageDetailPanel", (props, _, shown) =>
    below(
      h(WhoButton, { key: props.image.id, kind: "image", stashId: props.image.id }),
      shown
    )
  );
  patch.after("GalleryImagesPanel", (props, _, shown) =>
    below(
      h(WhoButton, { key: props.gallery.id, kind: "gallery", stashId: props.gallery.id }),
      shown
    )
  );

  // Stash before 0.30 lets nobody into a gallery's page; there the button is in the bar.
  const STASH_VERSION = libraries.Apollo.gql`
    query StashSenseVersion {
      version {
        version
      }
    }
  `;
  const galleryOf = (path) => /\/galleries\/(\d+)(?:\/|$)/.exec(path)?.[1];
  const BarButton = () => {
    const { pathname } = libraries.ReactRouterDOM.useLocation();
    const stashId = galleryOf(pathname);
    const { data } = libraries.Apollo.useQuery(STASH_VERSION, {
      skip: stashId === undefined,
    });
    const minor = /^v?0\.(\d+)/.exec(data?.version.version ?? "")?.[1];
    return stashId === undefined || minor === undefined || Number(minor) >= 30
      ? null
      : h(WhoButton, { key: stashId, kind: "gallery", stashId });
  };
  patch.before("MainNavBar.UtilityItems", (props) => [
    {
      ...props,
      children: h(React.Fragment, null, h(BarButton), props.children),
    },
  ]);
})();
