// What the image says about itself, in the format of os-release(5).

export function osRelease(version: string, slot?: string): string {
  const where = slot === undefined ? '' : ` (${slot})`;
  return [
    'ID=autoweave',
    'NAME="AutoWeave Edge"',
    `PRETTY_NAME="AutoWeave Edge ${version}${where}"`,
    `VERSION_ID=${version}`,
    '',
  ].join('\n');
}
