// Asking the sidecar from components: once, again and again, or when a button is pressed.
import { look, SidecarError } from "./api.js";
import { useCallback, useEffect, useRef, useState } from "./host.js";

/**
 * What `mode` answers: `{ data, error, isLoading, reload }`.
 *
 * `every` (milliseconds) asks again so long after each answer, but not while the page is
 * hidden; `isWanted: false` asks nothing. The data stay while a later call is under way
 * or fails, and `reload()` resolves when it was asked anew.
 */
export function useSidecar(mode, args = {}, { every = 0, isWanted = true } = {}) {
  const [state, setState] = useState({ data: undefined, error: null, isLoading: true });
  const asked = JSON.stringify([mode, args]);
  const current = useRef(null);

  const isShown = useIsShown();
  const ask = useCallback(async () => {
    if (!isShown.current) return;
    current.current?.abort();
    const here = new AbortController();
    current.current = here;
    const [itsMode, itsArgs] = JSON.parse(asked);
    const change = (to) => {
      if (!here.signal.aborted) setState((before) => ({ ...before, ...to }));
    };
    change({ isLoading: true });
    try {
      const data = await look(itsMode, itsArgs, here.signal);
      change({ data, error: null, isLoading: false });
    } catch (error) {
      change({ error, isLoading: false });
    }
  }, [asked, isShown]);

  useEffect(() => {
    setState({ data: undefined, error: null, isLoading: isWanted });
    return () => current.current?.abort();
  }, [asked, isWanted]);
  useRepeatedly(ask, { every, isWanted });
  return { ...state, reload: ask };
}

/**
 * Call `work` now and, with `every`, so many milliseconds after each time it has ended.
 *
 * Nothing happens while the page is hidden; when it is shown again, it is called at once.
 * Another `work` begins anew.
 */
export function useRepeatedly(work, { every, isWanted = true }) {
  useEffect(() => {
    if (!isWanted) return undefined;
    let timer;
    let isOver = false;
    let isAtWork = false;
    const go = async () => {
      if (isAtWork) return;
      isAtWork = true;
      clearTimeout(timer);
      await work();
      isAtWork = false;
      if (every > 0 && !isOver && !document.hidden) timer = setTimeout(go, every);
    };
    const onShown = () => {
      if (document.hidden) clearTimeout(timer);
      else if (every > 0) go();
    };
    go();
    document.addEventListener("visibilitychange", onShown);
    return () => {
      isOver = true;
      clearTimeout(timer);
      document.removeEventListener("visibilitychange", onShown);
    };
  }, [work, every, isWanted]);
}

/**
 * A function for a button, with how it goes: `{ run, isBusy, error, forget }`.
 *
 * `run(...)` resolves to what `work(...)` returned, or to undefined when that threw: the
 * error is then in `error` until the next run or `forget()`. While busy it does nothing.
 */
export function useAction(work) {
  const [state, setState] = useState({ isBusy: false, error: null });
  const isBusy = useRef(false);
  const isShown = useIsShown();

  const run = async (...args) => {
    if (isBusy.current) return undefined;
    isBusy.current = true;
    setState({ isBusy: true, error: null });
    let error = null;
    try {
      return await work(...args);
    } catch (caught) {
      if (!(caught instanceof SidecarError)) console.error("Stash Sense:", caught);
      error = caught;
      return undefined;
    } finally {
      isBusy.current = false;
      if (isShown.current) setState({ isBusy: false, error });
    }
  };
  return { ...state, run, forget: () => setState({ isBusy: false, error: null }) };
}

/** A ref that is true from when the component is shown until it is taken away. */
export function useIsShown() {
  const isShown = useRef(false);
  useEffect(() => {
    isShown.current = true;
    return () => {
      isShown.current = false;
    };
  }, []);
  return isShown;
}
