// An answer that one view alone needs: read when the view opens, again when asked for, and every so often where that is wanted.
import { useCallback, useEffect, useRef, useState } from 'preact/hooks';
import type { Loaded, Model } from '../model/model.ts';

export interface Kept<T> extends Loaded<T> {
  /** What was asked for last has not been answered yet; what is kept is the answer to another path. */
  readonly reading: boolean;
  again(): Promise<void>;
}

const nothing = { value: null, gotMs: 0, problem: null } as const;

export function useAnswer<T>(model: Model, path: string, everyMs: number | null = null): Kept<T> {
  const [kept, setKept] = useState<Loaded<T> & { readonly path: string }>({ ...nothing, path: '' });
  const wanted = useRef(path);
  wanted.current = path;
  const again = useCallback(async () => {
    const answer = await model.read<T>(path);
    // Another level or page was chosen meanwhile.
    if (wanted.current !== path) return;
    setKept((before) =>
      answer.ok
        ? { value: answer.value, gotMs: performance.now(), problem: null, path }
        : { ...(before.path === path ? before : nothing), problem: answer.problem, path },
    );
  }, [path]);
  useEffect(() => {
    void again();
    if (everyMs === null) return;
    const timer = setInterval(() => {
      if (!document.hidden) void again();
    }, everyMs);
    return () => clearInterval(timer);
  }, [again, everyMs]);
  return { ...kept, again, reading: kept.path !== path };
}
