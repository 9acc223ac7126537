/** Precedence of semantic versions (2.0.0, clause 11): negative when `a` comes before `b`. Both as `PluginVersion` allows them. */
export function compareVersions(a: string, b: string): number {
  const [coreA, preA] = parts(a);
  const [coreB, preB] = parts(b);
  for (let index = 0; index < 3; index++) {
    const difference = (coreA[index] ?? 0) - (coreB[index] ?? 0);
    if (difference !== 0) return difference;
  }
  if (preA === null || preB === null) return Number(preA === null) - Number(preB === null);
  for (let index = 0; index < Math.max(preA.length, preB.length); index++) {
    const difference = compareIdentifiers(preA[index], preB[index]);
    if (difference !== 0) return difference;
  }
  return 0;
}

function parts(version: string): readonly [readonly number[], readonly string[] | null] {
  const dash = version.indexOf('-');
  const core = dash === -1 ? version : version.slice(0, dash);
  return [core.split('.').map(Number), dash === -1 ? null : version.slice(dash + 1).split('.')];
}

/** Numbers before words; of two that are equal so far the shorter list comes first. */
function compareIdentifiers(a: string | undefined, b: string | undefined): number {
  if (a === undefined || b === undefined) return Number(a !== undefined) - Number(b !== undefined);
  const [isNumberA, isNumberB] = [/^[0-9]+$/.test(a), /^[0-9]+$/.test(b)];
  if (isNumberA && isNumberB) return Number(a) - Number(b);
  if (isNumberA !== isNumberB) return isNumberA ? -1 : 1;
  return a < b ? -1 : Number(a > b);
}
