// Figures -> small SVG charts and bars. The numbers stand beside them as text: a chart alone tells nobody anything exactly.
import type { Sample } from '../model/samples.ts';

const WIDTH = 240;
const HEIGHT = 48;

/** The scale ends at `limit` where there is one, otherwise at the highest sample. */
export function Spark({
  samples,
  limit,
  label,
}: {
  readonly samples: readonly Sample[];
  readonly limit: number | null;
  readonly label: string;
}) {
  const highest = Math.max(limit ?? 0, ...samples.map(({ value }) => value), 1e-9);
  const first = samples[0]?.atMs ?? 0;
  const span = Math.max((samples.at(-1)?.atMs ?? 0) - first, 60_000);
  const x = (atMs: number) => (WIDTH - ((first + span - atMs) / span) * WIDTH).toFixed(1);
  const y = (value: number) => (HEIGHT - 2 - (value / highest) * (HEIGHT - 6)).toFixed(1);
  const points = samples.map(({ atMs, value }) => `${x(atMs)},${y(value)}`);
  const line = `M${points.join('L')}`;
  return (
    <svg
      class="spark"
      viewBox={`0 0 ${WIDTH} ${HEIGHT}`}
      preserveAspectRatio="none"
      role="img"
      aria-label={label}
    >
      {limit === null ? null : <path class="limit" d={`M0 ${y(limit)}H${WIDTH}`} />}
      {points.length < 4 ? (
        <path class="limit" d={`M0 ${HEIGHT - 2}H${WIDTH}`} />
      ) : (
        <>
          <path class="area" d={`${line}L${x(samples.at(-1)?.atMs ?? 0)},${HEIGHT}L${x(first)},${HEIGHT}Z`} />
          <path class="line" d={line} />
        </>
      )}
    </svg>
  );
}

export function Meter({
  value,
  limit,
  label,
}: {
  readonly value: number | null;
  readonly limit: number | null;
  readonly label: string;
}) {
  const share = value === null || limit === null || limit === 0 ? null : Math.min(1, value / limit);
  return (
    <div
      class="meter"
      role="meter"
      aria-label={label}
      aria-valuemin={0}
      aria-valuemax={100}
      aria-valuenow={Math.round((share ?? 0) * 100)}
      data-level={share === null ? 'unknown' : share > 0.9 ? 'high' : share > 0.75 ? 'raised' : 'fine'}
    >
      <span style={{ inlineSize: `${(share ?? 0) * 100}%` }} />
    </div>
  );
}
