/** Gives scripts of plugins their PluginApi, loads them all, and only then renders. */
import React from "react";
import ReactDOM from "react-dom";
import { ApolloProvider } from "@apollo/client";
import { IntlProvider } from "react-intl";
import { BrowserRouter } from "react-router-dom";
import "bootstrap/dist/css/bootstrap.css";
import "./harness.css";
import { App } from "./App";
import { GQL, getClient } from "./client";
import { SettingsProvider, ToastProvider } from "./hooks";
import { PluginApi } from "./pluginApi";

window.PluginApi = PluginApi;

/** Resolves when the element is loaded, or has failed. */
function loaded(tag, attributes) {
  return new Promise((resolve) => {
    const element = Object.assign(document.createElement(tag), attributes);
    element.onload = resolve;
    element.onerror = resolve;
    document.head.append(element);
  });
}

async function loadPlugins() {
  const { data } = await getClient().query({ query: GQL.PluginsDocument });
  const enabled = data.plugins.filter((plugin) => plugin.enabled);
  await Promise.all(
    enabled.flatMap(({ paths }) => [
      ...(paths.css ?? []).map((href) => loaded("link", { rel: "stylesheet", href })),
      ...(paths.javascript ?? []).map((src) => loaded("script", { src, async: false })),
    ])
  );
}

function render() {
  ReactDOM.render(
    <ApolloProvider client={getClient()}>
      <IntlProvider locale="en-GB" defaultLocale="en-GB">
        <BrowserRouter>
          <SettingsProvider>
            <ToastProvider>
              <App />
            </ToastProvider>
          </SettingsProvider>
        </BrowserRouter>
      </IntlProvider>
    </ApolloProvider>,
    document.getElementById("root")
  );
}

loadPlugins().finally(render);
