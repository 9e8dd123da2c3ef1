// A part of a page that fails says so, and leaves the others alone.
import { h, React, useMemo, useState } from "../host.js";
import { Busy, Problem } from "./feedback.js";

/** Shows the problem, or `text`, where `children` throw; its button calls `onRetry`. */
export class Boundary extends React.Component {
  constructor(props) {
    super(props);
    this.state = { error: null };
  }

  static getDerivedStateFromError(error) {
    return { error };
  }

  componentDidCatch(error) {
    console.error("Stash Sense:", error);
  }

  render() {
    const { error } = this.state;
    if (error === null) return this.props.children;
    const { text = error.message, onRetry } = this.props;
    return h(Problem, { error: { message: text }, onRetry });
  }
}

/** A page that `load` imports when it is first shown, and anew when that is tried again. */
export function pageOf(load) {
  return function LoadedPage(props) {
    const [attempt, setAttempt] = useState(0);
    // React remembers that an import failed: another attempt is another component.
    // eslint-disable-next-line react-hooks/exhaustive-deps -- made anew for each attempt
    const Content = useMemo(() => React.lazy(load), [attempt]);
    return h(
      Boundary,
      {
        key: `${attempt} ${props.location?.pathname}`,
        onRetry: () => setAttempt((before) => before + 1),
      },
      h(React.Suspense, { fallback: h(Busy) }, h(Content, props))
    );
  };
}
