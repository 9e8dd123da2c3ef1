// What several pages say.
export const common = {
  "common.title": "Stash Sense",
  "common.loading": "Loading",
  "common.retry": "Try again",
  "common.cancel": "Cancel",
  "common.close": "Close",
  "common.save": "Save",
  "common.stop": "Stop",
  "common.undo": "Undo",
  "common.confirm": "Confirm",
  "common.previous": "Previous",
  "common.next": "Next",
  "common.page": "{first}–{last} of {total}",
  "common.pages": "Pages",
  "common.nothing": "Nothing here.",
  "common.noPicture": "No picture",
  "common.seconds": "{count, plural, one {# second} other {# seconds}}",
  "common.minutes": "{count, plural, one {about a minute} other {about # minutes}}",
  "common.hours": "{count, plural, one {about an hour} other {about # hours}}",
  "common.another": "Choose another",
  "common.noneFound": "Nobody found.",
  "common.opensElsewhere": "(opens in a new tab)",
  "common.progress": "{done} of {total}",
  "common.yes": "Yes",
  "common.no": "No",

  "nav.dashboard": "Overview",
  "nav.recommendations": "Recommendations",
  "nav.people": "Unknown people",
  "nav.quality": "How good it is",
  "nav.operations": "Operations",
  "nav.settings": "Settings",
  "nav.label": "Parts of Stash Sense",

  "old.title": "Stash Sense needs a newer Stash",
  "old.body":
    "This is Stash {version}. The plugin needs 0.28 or newer; update Stash and reload this page.",

  "problem.sidecar_unreachable.hint":
    "Is the sidecar running, and is its address right in Stash’s settings, under Plugins?",
  "problem.sidecar_timeout.hint": "It may still be done: look again in a moment before you repeat it.",
  "problem.sidecar_unauthorized.hint":
    "Sidecar and Stash have to know the same key: set STASH_API_KEY there, or put the sidecar’s API key into the plugin’s settings.",
  "problem.sidecar_too_old.hint": "Update the sidecar to the plugin’s version.",
  "problem.sidecar_not_ours.hint":
    "Something else answers at this address. Check it in Stash’s settings, under Plugins.",
  "problem.stash_refused.hint":
    "Stash could not run the plugin’s backend. Its log tells more; Stash needs Python 3.8 or newer.",
  "problem.recommendation_changed.hint": "It has changed since it was shown. Look again before you decide.",
  "problem.plan_changed.hint": "The library has changed since the plan was shown. Look at the new plan.",
};
