"use strict";

(function () {
  const { React, libraries, patch, register } = window.PluginApi;
  const { Nav, Tab } = libraries.Bootstrap;
  const { Link } = libraries.ReactRouterDOM;
  const h = React.createElement;

  window.echo = {
    componentsAtStart: Object.keys(window.PluginApi.components).sort(),
    locations: [],
  };
  window.PluginApi.Event?.addEventListener("stash:location", (event) =>
    window.echo.locations.push(event.detail.data.location.pathname)
  );

  const Panel = React.lazy(() => import("/plugin/echo/assets/1.2.3/panel.js"));
  const EchoPage = () =>
    h(React.Suspense, { fallback: "loading" }, h(Panel, { word: "page" }));
  register.route("/plugins/echo", EchoPage);

  patch.before("MainNavBar.MenuItems", (props) => [
    {
      ...props,
      children: [
        props.children,
        h(Link, { key: "echo", id: "echo-nav", to: "/plugins/echo" }, "Echo"),
      ],
    },
  ]);
  patch.before("ScenePage.Tabs", (props) => [
    {
      ...props,
      children: h(
        React.Fragment,
        null,
        props.children,
        h(
          Nav.Item,
          null,
          h(Nav.Link, { id: "echo-tab", eventKey: "echo-panel" }, "Echo")
        )
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
        h(
          Tab.Pane,
          { eventKey: "echo-panel", mountOnEnter: true },
          h(
            React.Suspense,
            { fallback: "loading" },
            h(Panel, { word: `scene ${props.scene.id}` })
          )
        )
      ),
    },
  ]);
  // Two that chain, and one that sees what they made of it.
  for (const letter of ["a", "b"]) {
    patch.instead("ImageDetailPanel", (props, context, next) =>
      h("div", { className: `echo-${letter}` }, next(props, context))
    );
  }
  patch.after("ImageDetailPanel", (props, context, result) =>
    h("section", { id: "echo-image" }, props.image.id, result)
  );
  patch.after("PluginSettings", (props, context, result) =>
    h("div", { id: `echo-settings-of-${props.pluginID}` }, result)
  );
})();
