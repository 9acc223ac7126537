// The direction of imports (DESIGN table): data here, and a failure on anything else.
import assert from 'node:assert/strict';
import { existsSync, globSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import test from 'node:test';

/** folder of src/ -> the folders it may import besides itself. */
const allowed: Readonly<Record<string, readonly string[] | 'everything'>> = {
  supervisor: 'everything',
  cli: ['contracts', 'trust', 'bundle', 'policy', 'config', 'mqtt', 'flash', 'operate', 'lib'],
  usb: ['contracts', 'lib'],
  events: ['contracts', 'lib'],
  buffer: ['contracts', 'lib'],
  plugins: ['contracts', 'bundle', 'lib'],
  uplink: ['contracts', 'mqtt', 'lib'],
  policy: ['contracts', 'lib'],
  trust: ['contracts', 'lib'],
  bundle: ['contracts', 'trust', 'lib'],
  ota: ['contracts', 'trust', 'bundle', 'mqtt', 'flash', 'lib'],
  flash: ['contracts', 'trust', 'lib'],
  status: ['contracts', 'lib'],
  operate: ['contracts', 'trust', 'lib'],
  central: ['contracts', 'trust', 'bundle', 'mqtt', 'lib'],
  mqtt: ['contracts', 'lib'],
  telemetry: ['contracts', 'lib'],
  config: ['contracts', 'lib'],
  // Sets a source checkout up and runs the product from it; no part of what ships.
  workbench: ['contracts', 'config', 'lib'],
  contracts: [],
  lib: [],
};

/** npm package -> the one folder that may import it. `typebox` is the language of the schemas and free to all. */
const owners: Readonly<Record<string, string>> = {
  ioredis: 'buffer',
  mqtt: 'mqtt',
  socks: 'mqtt',
  usb: 'usb',
  pino: 'telemetry',
  'prom-client': 'telemetry',
  ajv: 'lib',
  'tiny-typed-emitter': 'lib',
  uqr: 'status',
  preact: 'status',
  'multicast-dns': 'status',
  'worker-threads-pool': 'plugins',
  'libsodium-wrappers': 'trust',
};

interface Import {
  readonly file: string;
  readonly folder: string;
  readonly target: string;
}

/** `import … from 'x'`, `export … from 'x'`, `import 'x'`, `import('x')`; no other call that has a string. */
const importOf = /(?:^(?:import|export)\b[^;'=]*\bfrom\s*|^import\s*|\bimport\(\s*)'([^']+)'/gm;

const imports: readonly Import[] = globSync('src/**/*.{ts,tsx,mjs}').flatMap((file) =>
  [...readFileSync(file, 'utf8').matchAll(importOf)].map((match) => ({
    file,
    folder: file.split('/')[1] ?? '',
    target: match[1] ?? '',
  })),
);

test('every folder of src/ stands in the dependency table and has a README of at most 30 lines [STYLE]', () => {
  for (const entry of readdirSync('src', { withFileTypes: true })) {
    assert.ok(
      entry.isDirectory(),
      `src/${entry.name} is a file; every source file lives in a folder of the table`,
    );
    assert.ok(allowed[entry.name] !== undefined, `src/${entry.name} is not in the dependency table`);
    const readme = `src/${entry.name}/README.md`;
    assert.ok(existsSync(readme), `${readme} is missing`);
    assert.ok(
      readFileSync(readme, 'utf8').trimEnd().split('\n').length <= 30,
      `${readme} has more than 30 lines`,
    );
  }
});

test('folders import only what the dependency table allows [STYLE]', () => {
  assert.ok(imports.length > 0, 'no import was found: the test itself is broken');
  const wrong = imports.filter(({ file, folder, target }) => {
    if (!target.startsWith('.')) return false;
    const resolved = path.join(path.dirname(file), target);
    // The version is stated once, there.
    if (resolved === 'package.json') return false;
    // What a plugin's author sees; its worker is what keeps it.
    if (folder === 'plugins' && resolved === 'plugins/api/plugin-api.ts') return false;
    const [, to = ''] = resolved.split('/');
    const may = allowed[folder];
    return to !== folder && may !== 'everything' && !(may ?? []).includes(to);
  });
  assert.deepEqual(wrong, []);
});

test('each npm package has one owner folder [STYLE]', () => {
  const wrong = imports.filter(({ folder, target }) => {
    if (target.startsWith('.') || target.startsWith('node:')) return false;
    const name = target.startsWith('@')
      ? target.split('/').slice(0, 2).join('/')
      : (target.split('/')[0] ?? '');
    if (name === 'typebox') return false;
    return owners[name] !== folder;
  });
  assert.deepEqual(wrong, []);
});

test('the supervisor is imported by nobody [STYLE]', () => {
  const wrong = imports.filter(
    ({ file, folder, target }) =>
      folder !== 'supervisor' &&
      target.startsWith('.') &&
      path.join(path.dirname(file), target).startsWith('src/supervisor/'),
  );
  assert.deepEqual(wrong, []);
});
