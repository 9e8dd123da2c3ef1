/** What scripts/check holds every script to: the plugin's, the harness's page, the service's. */
import js from "@eslint/js";
import globals from "globals";
import reactHooks from "eslint-plugin-react-hooks";

const MAX_LINES = 500;
const MAX_FUNCTION_LINES = 60;

// Texts are set as texts. What makes markup or code of them is not used at all.
const property = (name) => ({
  selector: `MemberExpression[property.name='${name}']`,
  message: `${name} makes markup of text.`,
});
const dangerous = [
  ...["innerHTML", "outerHTML", "insertAdjacentHTML", "srcdoc"].map(property),
  property("createContextualFragment"),
  {
    selector: "CallExpression[callee.object.name='document'][callee.property.name=/^write/]",
    message: "document.write makes markup of text.",
  },
  {
    selector: ":matches(Property[key.name='dangerouslySetInnerHTML'], Property[key.value='dangerouslySetInnerHTML'], JSXAttribute[name.name='dangerouslySetInnerHTML'])",
    message: "dangerouslySetInnerHTML makes markup of text.",
  },
];

const rules = {
  ...js.configs.recommended.rules,
  ...reactHooks.configs.recommended.rules,
  "react-hooks/exhaustive-deps": "error",
  "no-restricted-syntax": ["error", ...dangerous],
  "no-eval": "error",
  "no-implied-eval": "error",
  "no-new-func": "error",
  "no-script-url": "error",
  "no-console": ["error", { allow: ["error", "warn", "info"] }],
  "no-var": "error",
  "prefer-const": "error",
  eqeqeq: ["error", "always", { null: "ignore" }],
  "max-lines": ["error", MAX_LINES],
  "max-lines-per-function": ["error", MAX_FUNCTION_LINES],
};

const linterOptions = { reportUnusedDisableDirectives: "error" };
const plugins = { "react-hooks": reactHooks };
const browser = { ...globals.browser };

export default [
  { ignores: ["**/node_modules/", "**/dist/", "**/.*/", "data/", "site/"] },
  {
    files: ["**/*.js"],
    ignores: ["plugin/**"],
    languageOptions: { ecmaVersion: 2022, sourceType: "module", globals: browser },
    linterOptions,
    plugins,
    rules,
  },
  {
    files: ["plugin/*.js", "plugin/tests/*/*.js"],
    ignores: ["plugin/tests/harness/**"],
    languageOptions: { ecmaVersion: 2022, sourceType: "script", globals: browser },
    linterOptions,
    plugins,
    rules,
  },
  {
    files: ["plugin/ui/**/*.js", "plugin/tests/*/ui/**/*.js"],
    languageOptions: { ecmaVersion: 2022, sourceType: "module", globals: browser },
    linterOptions,
    plugins,
    rules,
  },
  {
    files: ["plugin/tests/harness/**/*.{js,jsx}"],
    languageOptions: {
      ecmaVersion: 2024,
      sourceType: "module",
      globals: browser,
      parserOptions: { ecmaFeatures: { jsx: true } },
    },
    linterOptions,
    plugins,
    rules: {
      ...rules,
      // Without a plugin that knows JSX, what is only used there counts as unused.
      "no-unused-vars": ["error", { varsIgnorePattern: "^[A-Z]" }],
    },
  },
];
