import assert from 'node:assert/strict';
import test from 'node:test';
import { parseStartOptions } from '../../src/workbench/start-options.ts';

test('without arguments: the real bus, any free page port, state inside the checkout [Q4]', () => {
  assert.deepEqual(parseStartOptions([], '/repo'), {
    help: false,
    simulate: false,
    fresh: false,
    port: null,
    seconds: null,
    stateDir: '/repo/.cache/start',
    capturesDir: '/repo/src/workbench/captures',
    seed: 1,
    insecurePlugins: false,
  });
});

test('a wrong argument is refused with what would be right [Q3]', () => {
  for (const [args, expected] of [
    [['--port', '70000'], /--port takes a whole number from 1 to 65535, not "70000"/],
    [['--seconds', '-1'], /--seconds/],
    [['--seconds', '1e3'], /--seconds takes a whole number/],
    [['--simulat'], /'--simulat'[\s\S]*--simulate {6}replay/],
    [['simulate'], /'simulate'/],
  ] as const) {
    assert.throws(() => parseStartOptions(args, '/repo'), {
      code: 'workbench.bad-option',
      message: expected,
    });
  }
});
