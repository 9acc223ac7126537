/** Whether `value` nests at most `levels` deep. Deeper data would exhaust the stack of whoever writes it as text again. */
export function isShallow(value: unknown, levels: number): boolean {
  if (typeof value !== 'object' || value === null) return true;
  return levels > 0 && Object.values(value).every((inner) => isShallow(inner, levels - 1));
}
