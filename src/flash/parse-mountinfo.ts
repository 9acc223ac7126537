// /proc/self/mountinfo and /proc/swaps -> what is in use where. Pure; lines that are not understood are left out.

export interface Mount {
  /** `8:1`; `0:…` for file systems that belong to no single device. */
  readonly number: string;
  readonly where: string;
  readonly type: string;
  readonly source: string;
}

/** proc_pid_mountinfo(5): `36 35 98:0 /root /where options [optional fields] - type source options` */
export function parseMountinfo(text: string): readonly Mount[] {
  return text.split('\n').flatMap((line) => {
    const [before = '', after = ''] = line.split(' - ', 2);
    const [, , number, , where] = before.split(' ');
    const [type, source] = after.split(' ');
    if (number === undefined || where === undefined || type === undefined || source === undefined) return [];
    return [{ number, where: unescaped(where), type, source: unescaped(source) }];
  });
}

/** Paths of swap devices and files. */
export function parseSwaps(text: string): readonly string[] {
  return text
    .split('\n')
    .slice(1)
    .flatMap((line) => {
      const [path = ''] = line.split(/\s/, 1);
      return path === '' ? [] : [unescaped(path)];
    });
}

/** Blank, tab, newline and backslash are written as octal numbers. */
function unescaped(text: string): string {
  return text.replace(/\\([0-3][0-7]{2})/g, (_, octal: string) =>
    String.fromCharCode(Number.parseInt(octal, 8)),
  );
}
