// A Debian copyright file in its machine-readable form (DEP-5) -> the terms of the package as an SPDX expression. Pure. What has no SPDX id
// becomes a LicenseRef with the text that stands in the file; files in free form give nothing.
import type { PackageLicenses } from './base-provider.ts';

/** Short names of DEP-5 that SPDX has under another name; ids that are the same in both follow by themselves. */
const named: Readonly<Record<string, string>> = {
  'apache-2': 'Apache-2.0',
  artistic: 'Artistic-1.0',
  'bsd-2-clauses': 'BSD-2-Clause',
  'bsd-2-clause-netbsd': 'BSD-2-Clause-NetBSD',
  expat: 'MIT',
  'mit/x11': 'MIT',
  'gpl-2 with linux-syscall-note exception': 'GPL-2.0-only WITH Linux-syscall-note',
};
const same: ReadonlyMap<string, string> = new Map(
  [
    ...[
      '0BSD',
      'Apache-2.0',
      'Beerware',
      'BSD-2-Clause',
      'BSD-3-Clause',
      'BSD-4-Clause',
      'BSL-1.0',
      'CC0-1.0',
    ],
    ...['CC-BY-SA-4.0', 'FSFAP', 'FSFUL', 'FSFULLR', 'ISC', 'Latex2e', 'MIT', 'Sleepycat', 'SunPro'],
    ...['Unicode-DFS-2016', 'X11', 'Zlib'],
  ].map((id) => [id.toLowerCase(), id]),
);

export function parseDebianCopyright(name: string, text: string): PackageLicenses | undefined {
  if (!/^Format:/i.test(text)) return undefined;
  const paragraphs = text.split(/\n[ \t]*\n/).map(fieldsOf);
  const texts = new Map<string, string>();
  for (const { license } of paragraphs) {
    const [short = '', ...body] = (license ?? '').trim().split('\n');
    if (body.length > 0) texts.set(short.trim().toLowerCase(), body.join('\n'));
  }
  const references = new Map<string, string>();
  const toId = (short: string): string => {
    const id = spdxId(short);
    if (id !== undefined) return id;
    const reference = `LicenseRef-${name}-${short}`.replace(/[^A-Za-z0-9.-]+/g, '-');
    references.set(
      reference,
      texts.get(short.toLowerCase()) ?? `As in the copyright file of the package ${name}: ${short}`,
    );
    return reference;
  };
  const terms = paragraphs
    .filter(({ files }) => files !== undefined)
    .map(({ license = '' }) => (license.trim().split('\n')[0] ?? '').trim())
    .filter((short) => short !== '');
  const expressions = [...new Set(terms.map((short) => toExpression(short, toId)))].sort();
  if (expressions.length === 0) return undefined;
  return { expression: expressions.join(' AND '), references: Object.fromEntries(references) };
}

/** `A or B, and C`: a comma binds less than the words, DEP-5 says. */
function toExpression(short: string, toId: (short: string) => string): string {
  const parts = short.split(/,\s*(?=and\b|or\b)|\s+(?=and\s|or\s)/i);
  const spdx = parts.map((part) => {
    const [, word = '', atom = part] = /^(and|or)\s+(.*)$/is.exec(part.trim()) ?? [];
    return `${word === '' ? '' : `${word.toUpperCase()} `}${toId(atom.trim())}`;
  });
  return spdx.length === 1 ? spdx.join('') : `(${spdx.join(' ')})`;
}

function spdxId(short: string): string | undefined {
  const lower = short.toLowerCase();
  const known = named[lower] ?? same.get(lower);
  if (known !== undefined) return known;
  const [, family = '', major = '', minor = '0', plus] =
    /^(a?l?gpl)-?v?(\d)(?:\.(\d))?(\+)?$/.exec(lower) ?? [];
  if (family === '') return undefined;
  return `${family.toUpperCase()}-${major}.${minor}-${plus === undefined ? 'only' : 'or-later'}`;
}

/** Fields in lower case; a line that begins with a space goes on with the field before it. */
function fieldsOf(paragraph: string): Readonly<Record<string, string>> {
  const fields: Record<string, string> = {};
  let last = '';
  for (const line of paragraph.split('\n')) {
    const [, key, value = ''] = /^([A-Za-z-]+):(.*)$/.exec(line) ?? [];
    if (key !== undefined) {
      last = key.toLowerCase();
      fields[last] = value;
    } else if (last !== '' && !line.startsWith('#')) fields[last] += `\n${line.replace(/^ \.?/, '')}`;
  }
  return fields;
}
