import { useCallback, useEffect, useRef, useState } from "react";
import { getJson } from "./client.ts";

/** What was asked for: data, or why there is none. While it is loaded again the old data stays. */
export interface Resource<Data> {
  data: Data | undefined;
  error: Error | undefined;
  reload: () => void;
}

/**
 * Loads from the server.
 *
 * @param address null asks for nothing.
 * @param everyMs loads again so often while the page is seen. Default: never.
 */
export function useResource<Data>(address: string | null, everyMs?: number): Resource<Data> {
  const [loaded, setLoaded] = useState<{ address: string; data?: Data; error?: Error }>();
  const running = useRef<AbortController>(null);

  const load = useCallback(() => {
    running.current?.abort();
    running.current = null;
    if (address === null) return;
    const aborter = new AbortController();
    running.current = aborter;
    getJson<Data>(address, aborter.signal)
      .then((data) => setLoaded({ address, data }))
      .catch((error: Error) => {
        if (aborter.signal.aborted) return;
        setLoaded((last) => (last?.address === address ? { ...last, error } : { address, error }));
      })
      .finally(() => {
        if (running.current === aborter) running.current = null;
      });
  }, [address]);

  useEffect(() => {
    load();
    return () => running.current?.abort();
  }, [load]);

  useEffect(() => {
    if (everyMs === undefined) return;
    const timer = setInterval(() => {
      if (document.visibilityState === "visible" && running.current === null) load();
    }, everyMs);
    return () => clearInterval(timer);
  }, [everyMs, load]);

  const current = loaded?.address === address ? loaded : undefined;
  return { data: current?.data, error: current?.error, reload: load };
}
