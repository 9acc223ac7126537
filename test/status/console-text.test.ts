import assert from 'node:assert/strict';
import test from 'node:test';
import jsqr from 'jsqr';
import { consoleText } from '../../src/status/console-text.ts';

const part = (state: 'ok' | 'degraded' | 'down', why: string) => ({
  ...{ state, why, since: '2026-11-21T00:00:00.000Z', ageSeconds: 1, clock: 'synced' as const },
});
const facts = {
  appliance: { tenant: 'acme', site: 'north', name: 'till-3' },
  version: '1.2.3',
  simulated: false,
  ready: true as true | string,
  health: {
    state: 'degraded' as const,
    simulated: false,
    parts: { usb: part('ok', 'fine'), uplink: part('down', 'no\u001b[2J broker') },
  },
  listen: '0.0.0.0',
  port: 8480,
  addresses: ['192.168.100.200'],
};

test('the screen shows name, version, state and what is wrong, and nothing that could move the cursor [I4, S7]', () => {
  const lines = consoleText(facts).split('\n');
  assert.equal(lines[0], 'AutoWeave Edge 1.2.3  acme:north:till-3');
  assert.equal(lines[1], 'watching, health degraded');
  assert.equal(lines[2], '  uplink down: no [2J broker');
  assert.equal(lines[3], 'http://192.168.100.200:8480/');
  assert.match(consoleText({ ...facts, ready: 'buffer: away' }), /^not ready: buffer: away$/m);
});

test('the QR code on the screen is read by a camera as the address of the page, and fits on it [I8]', () => {
  for (const address of ['10.0.2.15', '192.168.100.200', '2001:db8:1:2:3:4:5:6']) {
    const text = consoleText({ ...facts, addresses: [address] });
    const rows = text
      .slice(text.indexOf('\n\n') + 2)
      .trimEnd()
      .split('\n');
    assert.ok(text.split('\n').length <= 26 && rows.every((row) => row.length <= 79), text);
    assert.match(read(rows) ?? '', new RegExp(`^http://\\[?${address.replaceAll('.', '\\.')}\\]?:8480/$`));
  }
});

test('a page that only this machine can open has no address on the screen, and no QR code [I8]', () => {
  assert.match(consoleText({ ...facts, listen: '127.0.0.1' }), /\nno address in the network\n$/);
  assert.match(consoleText({ ...facts, addresses: [] }), /\nno address in the network\n$/);
});

/** Half blocks, light where there is ink, as a picture of 8 pixels a module. */
function read(rows: readonly string[]): string | undefined {
  const scale = 8;
  const columns = Math.max(...rows.map((row) => row.length));
  const [width, height] = [columns * scale, rows.length * 2 * scale];
  const pixels = new Uint8ClampedArray(width * height * 4).fill(255);
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++) {
      const module = Math.floor(y / scale);
      const block = rows[module >> 1]?.[Math.floor(x / scale)] ?? ' ';
      const isLight = block === '\u2588' || block === (module % 2 === 0 ? '\u2580' : '\u2584');
      pixels.fill(isLight ? 255 : 0, (y * width + x) * 4, (y * width + x) * 4 + 3);
    }
  // A package in CommonJS whose types say otherwise.
  const decode = jsqr as unknown as typeof jsqr.default;
  return decode(pixels, width, height, { inversionAttempts: 'dontInvert' })?.data;
}
