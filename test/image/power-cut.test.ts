// The short form of `npm run drill -- power`.
import assert from 'node:assert/strict';
import test from 'node:test';
import { drill } from '../drill/power.drill.ts';
import { whyNoGuest } from '../support/guest-image.ts';

test('a disk whose power was cut at a recorded flush holds what was acknowledged, and boots by itself [B5]', {
  skip: whyNoGuest(),
}, async (t) => {
  assert.equal(await drill.run({ n: 2, seed: 1, say: (line) => t.diagnostic(line) }), 0);
});
