// Which Stash this is: the pages need 0.28.
import { Alert, Apollo, apolloClient, h, useEffect, useState } from "./host.js";
import { Busy } from "./parts/feedback.js";
import { t } from "./texts.js";

const MIN_MINOR = 28;
const VERSION = Apollo.gql`
  query StashSenseVersion {
    version {
      version
    }
  }
`;

/** `children()`, or a notice where Stash is too old; nothing is asked before that is known. */
export function WithNewStash({ children }) {
  const version = useStashVersion();
  if (version === undefined) return h(Busy);
  const [, major, minor] = /^v?(\d+)\.(\d+)/.exec(version) ?? [null, "0", String(MIN_MINOR)];
  if (Number(major) > 0 || Number(minor) >= MIN_MINOR) return children();
  return h(
    Alert,
    { variant: "warning", className: "stash-sense-problem" },
    h(Alert.Heading, null, t("old.title")),
    t("old.body", { version })
  );
}

/** Stash's version; undefined until it is known, and "" where Stash does not tell. */
function useStashVersion() {
  const [version, setVersion] = useState(undefined);
  useEffect(() => {
    let isShown = true;
    const tell = (told) => isShown && setVersion(told);
    apolloClient()
      .query({ query: VERSION })
      .then(({ data }) => tell(data.version.version ?? ""))
      .catch(() => tell(""));
    return () => {
      isShown = false;
    };
  }, []);
  return version;
}
