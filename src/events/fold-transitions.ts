// What debounce held of one port -> what is told of it. Runs of one identity with more than two plugs become their net
// result; a plug is a fact, so nothing folds to nothing.
import { coverBoth, isPlug, type Plug, type Transition } from './transition.ts';

export interface Fold {
  readonly kept: readonly Transition[];
  readonly folded: number;
}

export function foldTransitions(held: readonly Transition[]): Fold {
  if (held.length <= 2) return { kept: held, folded: 0 };
  const kept = runsOf(held).flatMap(foldRun);
  return { kept, folded: held.length - kept.length };
}

/** Maximal stretches in which every plug is of the same readable identity. */
function runsOf(held: readonly Transition[]): readonly (readonly Transition[])[] {
  const runs: Transition[][] = [];
  let identity: string | null | undefined;
  for (const transition of held) {
    const isOther =
      isPlug(transition) &&
      identity !== undefined &&
      (identity === null || transition.device.identity !== identity);
    if (isPlug(transition)) identity = transition.device.identity;
    const run = runs.at(-1);
    if (run === undefined || isOther) runs.push([transition]);
    else run.push(transition);
  }
  return runs;
}

function foldRun(run: readonly Transition[]): readonly Transition[] {
  const plugs = run.filter(isPlug);
  if (plugs.length <= 2) return run;
  const kept = netPlugs(plugs);
  const gone = plugs.filter((plug) => !kept.includes(plug));
  // The count stands where the folded plugs were: everything before it can be told without it, and lost without it.
  const carrier = kept[0]?.kind === 'added' ? kept[0] : kept.at(-1);
  // A change or a ready stays with the device it speaks of: with a kept added, or with what was there before the run.
  let isTold = true;
  return run
    .filter((transition) => {
      if (isPlug(transition)) isTold = kept.includes(transition);
      return isTold;
    })
    .map((transition) =>
      transition === carrier
        ? {
            ...carrier,
            folded: carrier.folded + gone.length,
            covers: gone.map(({ covers }) => covers).reduce(coverBoth, carrier.covers),
          }
        : transition,
    );
}

/** Plugs alternate. The parity is kept: an odd number leaves one, an even number two. */
function netPlugs(plugs: readonly Plug[]): readonly Plug[] {
  const [first, last] = [plugs.at(0), plugs.at(-1)];
  if (first === undefined || last === undefined) return [];
  if (first.kind === 'removed') return last.kind === 'removed' ? [first] : [first, last];
  return last.kind === 'added' ? [last] : plugs.slice(-2);
}
