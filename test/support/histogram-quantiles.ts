// Quantiles of a Prometheus histogram in the exposition text, interpolated within a bucket as PromQL's histogram_quantile does.

/** Seconds for each of `quantiles`; NaN while nothing was observed. A value in the +Inf bucket counts as the last bound. */
export function histogramQuantiles(
  text: string,
  name: string,
  quantiles: readonly number[],
  /** An earlier reading; only what was observed since then counts. */
  since = '',
): number[] {
  const earlier = new Map(bucketsOf(since, name).map(({ bound, count }) => [bound, count]));
  const buckets = bucketsOf(text, name).map(({ bound, count }) => ({
    bound,
    count: count - (earlier.get(bound) ?? 0),
  }));
  const total = buckets.at(-1)?.count ?? 0;
  return quantiles.map((quantile) => {
    if (total === 0) return Number.NaN;
    const rank = quantile * total;
    const index = buckets.findIndex(({ count }) => count >= rank);
    const { bound, count } = buckets[index] ?? { bound: Number.NaN, count: 0 };
    const { bound: lower, count: below } = buckets[index - 1] ?? { bound: 0, count: 0 };
    return bound === Number.POSITIVE_INFINITY
      ? lower
      : lower + ((bound - lower) * (rank - below)) / (count - below);
  });
}

function bucketsOf(
  text: string,
  name: string,
): readonly { readonly bound: number; readonly count: number }[] {
  const lines = text.matchAll(new RegExp(`^${name}_bucket\\{le="([^"]+)"\\} (\\d+)$`, 'gm'));
  return [...lines].map(([, bound, count]) => ({
    bound: bound === '+Inf' ? Number.POSITIVE_INFINITY : Number(bound),
    count: Number(count),
  }));
}
