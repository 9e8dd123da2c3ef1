/** The frame of every page: bar, routes, and those of plugins. */
import React, { Suspense, lazy, useEffect } from "react";
import { Container, Nav, Navbar } from "react-bootstrap";
import { Link, Redirect, Route, Switch, useLocation } from "react-router-dom";
import { LoadingIndicator, MenuItems, UtilityItems } from "./base";
import { patchable } from "./patching";
import { dispatchLocation, routes, setPlayerModule } from "./pluginApi";

const list = (name) => lazy(async () => ({ default: (await import("./pages/lists"))[name] }));
const Scenes = list("Scenes");
const Images = list("Images");
const Galleries = list("Galleries");
const Performers = list("Performers");
const ScenePage = lazy(async () => {
  setPlayerModule(await import("./player"));
  return import("./pages/ScenePage");
});
const ImagePage = lazy(() => import("./pages/ImagePage"));
const GalleryPage = lazy(() => import("./pages/GalleryPage"));
const PerformerPage = lazy(() => import("./pages/PerformerPage"));
const SettingsPage = lazy(() => import("./pages/SettingsPage"));

const PAGES = { scenes: "Scenes", images: "Images", galleries: "Galleries", performers: "Performers" };

const PluginRoutes = patchable("PluginRoutes", () => (
  <Switch>
    {routes.map(({ path, component }) => (
      <Route key={path} path={path} component={component} />
    ))}
  </Switch>
));

function MainNavBar() {
  return (
    <Navbar fixed="top" variant="dark" bg="dark" className="top-nav" as="nav" expand>
      <Navbar.Brand as={Link} to="/" className="mr-3">
        Stash
      </Navbar.Brand>
      <Nav className="mr-auto flex-row navbar-main">
        <MenuItems>
          {Object.entries(PAGES).map(([path, title]) => (
            <Nav.Link key={path} as={Link} to={`/${path}`} className="nav-menu-item">
              {title}
            </Nav.Link>
          ))}
        </MenuItems>
      </Nav>
      <Nav className="navbar-buttons flex-row">
        <UtilityItems>
          <Nav.Link as={Link} to="/settings" className="nav-utility">
            Settings
          </Nav.Link>
        </UtilityItems>
      </Nav>
    </Navbar>
  );
}

function Pages() {
  return (
    <Switch>
      <Redirect exact from="/" to="/scenes" />
      <Route exact path="/scenes" component={Scenes} />
      <Route path="/scenes/:id" component={ScenePage} />
      <Route exact path="/images" component={Images} />
      <Route path="/images/:id" component={ImagePage} />
      <Route exact path="/galleries" component={Galleries} />
      <Route path="/galleries/:id" component={GalleryPage} />
      <Route exact path="/performers" component={Performers} />
      <Route path="/performers/:id" component={PerformerPage} />
      <Route path="/settings" component={SettingsPage} />
      <PluginRoutes />
    </Switch>
  );
}

export const App = patchable("App", () => {
  const location = useLocation();
  useEffect(() => dispatchLocation(location), [location]);
  return (
    <>
      <MainNavBar />
      <Container fluid className="main">
        <Suspense fallback={<LoadingIndicator />}>
          <Pages />
        </Suspense>
      </Container>
    </>
  );
});
