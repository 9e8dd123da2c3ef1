// Every text that people read is in ui/texts/, in ICU message format, one file an area.
// To translate: a folder beside ui/texts/en and a line in CATALOGUES.
import { intlLibrary } from "./host.js";
import { common } from "./texts/en/common.js";
import { dashboard } from "./texts/en/dashboard.js";
import { details } from "./texts/en/details.js";
import { operations } from "./texts/en/operations.js";
import { people } from "./texts/en/people.js";
import { quality } from "./texts/en/quality.js";
import { recommendations } from "./texts/en/recommendations.js";
import { settings } from "./texts/en/settings.js";
import { who } from "./texts/en/who.js";

const CATALOGUES = {
  en: {
    ...common, ...dashboard, ...details, ...operations, ...people, ...quality,
    ...recommendations, ...settings, ...who,
  },
};

// The script that imports pages writes the language of Stash's interface here.
const wanted = document.documentElement.dataset.stashSenseLocale || "en";
const language = Object.keys(CATALOGUES).find((each) => wanted.startsWith(each)) ?? "en";

/** Numbers, dates and messages in the language of the interface (react-intl's). */
export const intl = intlLibrary.createIntl({
  locale: language === wanted.slice(0, 2) ? wanted : language,
  defaultLocale: "en",
  messages: { ...CATALOGUES.en, ...CATALOGUES[language] },
});

/** The text `id`, with `values` put in; what is missing shows its id. */
export const t = (id, values) => intl.formatMessage({ id }, values);

/** Whether there is a text `id`: for words that the sidecar may have more of than we. */
export const hasText = (id) => id in intl.messages;

/** The text `id` if there is one, else `fallback` made readable (`some_word`). */
export const textOr = (id, fallback) =>
  hasText(id) ? t(id) : String(fallback ?? "").replaceAll("_", " ");
