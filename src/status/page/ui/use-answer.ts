// An answer that one view alone needs: read when the view opens, again when asked for, and every so often where that is wanted.
import { useCallback, useEffect, useState } from 'preact/hooks';
import type { Loaded, Model } from '../model/model.ts';

export interface Kept<T> extends Loaded<T> {
  again(): Promise<void>;
}

export function useAnswer<T>(model: Model, path: string, everyMs: number | null = null): Kept<T> {
  const [kept, setKept] = useState<Loaded<T>>({ value: null, gotMs: 0, problem: null });
  const again = useCallback(async () => {
    const answer = await model.read<T>(path);
    setKept((before) =>
      answer.ok
        ? { value: answer.value, gotMs: performance.now(), problem: null }
        : { ...before, problem: answer.problem },
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
  return { ...kept, again };
}
