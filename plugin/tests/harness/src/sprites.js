/** The pictures of a scene's sprite, by its VTT. */
import { useEffect, useState } from "react";

const CUE = /([\d:.]+) --> ([\d:.]+)\n(\S+)#xywh=(\d+),(\d+),(\d+),(\d+)/g;

function seconds(text) {
  return text.split(":").reduce((sum, part) => 60 * sum + Number(part), 0);
}

/** A list of { url, start, end, x, y, w, h }; undefined until it is there. */
export function useSpriteInfo(vttPath) {
  const [info, setInfo] = useState();
  useEffect(() => {
    if (!vttPath) return undefined;
    const stop = new AbortController();
    (async () => {
      const answer = await fetch(vttPath, { signal: stop.signal });
      if (!answer.ok) return;
      const cues = [...(await answer.text()).matchAll(CUE)];
      setInfo(
        cues.map(([, start, end, name, ...box]) => {
          const [x, y, w, h] = box.map(Number);
          const url = new URL(name, new URL(vttPath, window.location)).href;
          return { url, start: seconds(start), end: seconds(end), x, y, w, h };
        })
      );
    })().catch((error) => {
      if (error.name !== "AbortError") throw error;
    });
    return () => stop.abort();
  }, [vttPath]);
  return info;
}
