/**
 * What which version of Stash has: names that may be patched, libraries, hooks, utils.
 * What an older one lacks is absent here as well, and a patch of it never fires.
 */

const FIRST = {
  "0.24": [
    "Icon", "MainNavBar.MenuItems", "MainNavBar.UtilityItems", "PluginRoutes",
    "SceneCard", "SceneCard.Details", "SceneCard.Image", "SceneCard.Overlays",
    "SceneCard.Popovers", "Setting", "SettingsToolsSection",
  ],
  "0.25": [
    "PerformerSelect", "PerformerIDSelect", "TagSelect",
    "ReactDOM", "Event", "useToast", "Mousetrap", "MousetrapPause",
  ],
  "0.27": [
    "App", "BooleanSetting", "ImageDetailPanel", "NumberSetting",
    "PerformerDetailsPanel", "PluginSettings", "SceneFileInfoPanel", "SettingGroup",
    "StringSetting", "useSettings", "useInteractive",
  ],
  "0.28": [
    "LoadingIndicator", "PerformerCard", "PerformerPage", "ScenePage", "ScenePage.Tabs",
    "ScenePage.TabContent", "ScenePlayer", "TabTitleCounter", "TagLink",
    "FontAwesomeBrands", "ReactSelect",
  ],
  "0.29": ["GalleryCard", "InteractiveUtils", "useLightbox", "useGalleryLightbox"],
  "0.30": ["GalleryImagesPanel", "GalleryList", "ImageList", "PerformerList", "TagList"],
  "0.31": ["ImageCard", "ReactFontAwesome", "mutatePerformerMerge"],
};

const firstVersions = new Map(
  Object.entries(FIRST).flatMap(([version, names]) =>
    names.map((name) => [name, version])
  )
);

function asNumbers(version) {
  const [major, minor] = version.replace(/^v/, "").split(".").map(Number);
  return major * 1000 + minor;
}

/** The version that is emulated: the page's address may ask for another. */
export const stashVersion =
  new URLSearchParams(window.location.search).get("stash_version") ||
  document.getElementById("root").dataset.stashVersion;

/** Whether the emulated version has what is called so. */
export function has(name) {
  const first = firstVersions.get(name);
  return first === undefined || asNumbers(stashVersion) >= asNumbers(first);
}

/** The members of an object that the emulated version has. */
export function present(members) {
  return Object.fromEntries(Object.entries(members).filter(([name]) => has(name)));
}
