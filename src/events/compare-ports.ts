/** Kernel port paths in the order of the sockets: 1-2 before 1-10, a hub before what is plugged into it. */
export function comparePorts(a: string, b: string): number {
  const [left, right] = [a.split(/[-.]/), b.split(/[-.]/)];
  for (const [index, part] of left.entries()) {
    const difference = Number(part) - Number(right[index] ?? -1);
    if (difference !== 0) return difference;
  }
  return left.length - right.length;
}
