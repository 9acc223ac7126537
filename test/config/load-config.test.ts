import assert from 'node:assert/strict';
import test from 'node:test';
import { loadConfig } from '../../src/config/load-config.ts';
import { seededRandom } from '../support/seeded-random.ts';

const file = 'edge.json';
const load = (content: unknown, environment: Readonly<Record<string, string>> = {}) =>
  loadConfig({ file, text: typeof content === 'string' ? content : JSON.stringify(content), environment });

function configOf(...args: Parameters<typeof load>) {
  const verdict = load(...args);
  assert.ok(verdict.ok, JSON.stringify(verdict));
  return verdict.config;
}

function problemsOf(...args: Parameters<typeof load>) {
  const verdict = load(...args);
  assert.ok(!verdict.ok, 'was accepted');
  return verdict.problems;
}

const codesOf = (...args: Parameters<typeof load>) =>
  problemsOf(...args).map(({ code, path }) => `${code} ${path}`);

test('no file and no variable give the defaults, frozen all the way down [Q3]', () => {
  const verdict = loadConfig({ file: null, text: null, environment: { PATH: '/bin' } });
  assert.ok(verdict.ok);
  assert.equal(verdict.config.usb.debounceMs, 50);
  assert.equal(verdict.config.uplink.url, null);
  assert.equal('password' in verdict.config.uplink, false);
  assert.ok(Object.isFrozen(verdict.config) && Object.isFrozen(verdict.config.usb.monitorCommand));
});

test('the environment wins over the file and is coerced by the type of its field [Q3]', () => {
  const config = configOf(
    { usb: { debounceMs: 7, crossCheck: true }, uplink: { url: 'mqtt://file:1883' } },
    {
      AUTOWEAVE_USB_DEBOUNCE_MS: '120',
      AUTOWEAVE_USB_CROSS_CHECK: 'false',
      AUTOWEAVE_USB_PORT_EVENTS_PER_SECOND: '0.5',
      AUTOWEAVE_USB_MONITOR_COMMAND: '["cat","records"]',
      AUTOWEAVE_UPLINK_URL: 'null',
      AUTOWEAVE_UPLINK_PROTOCOL: '5',
      AUTOWEAVE_APPLIANCE_NAME: '',
      AUTOWEAVE_CONFIG: '/etc/autoweave.json',
      AUTOWEAVE_SOCKET: '/run/autoweave/control.sock',
    },
  );
  assert.equal(config.usb.debounceMs, 120);
  assert.equal(config.usb.crossCheck, false);
  assert.equal(config.usb.portEventsPerSecond, 0.5);
  assert.deepEqual(config.usb.monitorCommand, ['cat', 'records']);
  assert.equal(config.uplink.url, null);
  assert.equal(config.uplink.protocol, '5');
  assert.equal(config.appliance.name, 'appliance', 'an empty variable counts as not set');
});

test('everything wrong is named at once, with the field, where it was written and what stands there [Q3]', () => {
  const problems = problemsOf(
    { usb: { debouncems: 5, rescanSeconds: 'often', portBurst: 1 }, uplnk: {}, status: [] },
    { AUTOWEAVE_STATUS_PORT: '70000', AUTOWEAVE_LOG_LEVEL: 'loud' },
  );
  assert.deepEqual(
    problems.map(({ code, path }) => `${code} ${path}`),
    [
      'config.unknown-key usb.debouncems',
      'config.unknown-key uplnk',
      'config.wrong-type status',
      'config.wrong-type usb.rescanSeconds',
      'config.not-allowed usb.portBurst',
      'config.not-allowed status.port',
      'config.not-allowed log.level',
    ],
  );
  assert.match(problems[0]?.remedy ?? '', /Did you mean usb\.debounceMs\?/);
  assert.match(problems[1]?.remedy ?? '', /Did you mean uplink\?/);
  assert.match(
    problems[3]?.message ?? '',
    /^usb\.rescanSeconds in edge\.json must be an integer from 5 to 86400, but is "often"$/,
  );
  assert.match(problems[5]?.message ?? '', /in the variable AUTOWEAVE_STATUS_PORT must be .*but is 70000$/);
  assert.match(problems[6]?.message ?? '', /one of "debug", "info", "warn", "error"/);
});

test('a variable that sets nothing is refused and the nearest one named [Q3]', () => {
  const [problem, ...more] = problemsOf({}, { AUTOWEAVE_USB_DEBOUNCE: '5' });
  assert.deepEqual(more, []);
  assert.equal(problem?.code, 'config.unknown-variable');
  assert.match(problem?.remedy ?? '', /AUTOWEAVE_USB_DEBOUNCE_MS/);
});

test('variables that are no value of the type of their field are refused [Q3]', () => {
  for (const [variable, value] of [
    ['AUTOWEAVE_USB_DEBOUNCE_MS', '5ms'],
    ['AUTOWEAVE_USB_DEBOUNCE_MS', '1e3'],
    ['AUTOWEAVE_USB_CROSS_CHECK', 'yes'],
    ['AUTOWEAVE_USB_MONITOR_COMMAND', 'udevadm monitor'],
    ['AUTOWEAVE_USB_MONITOR_COMMAND', '{}'],
  ] as const) {
    assert.deepEqual(
      problemsOf({}, { [variable]: value }).map(({ code }) => code),
      ['config.wrong-type'],
      `${variable}=${value}`,
    );
  }
});

test('one problem a field, however many branches of its schema complain [Q3]', () => {
  assert.deepEqual(codesOf({ uplink: { url: 'http://broker' } }), ['config.not-allowed uplink.url']);
  assert.deepEqual(codesOf({ uplink: { url: 5 } }), ['config.wrong-type uplink.url']);
  assert.deepEqual(codesOf({ usb: { monitorCommand: ['udevadm', ''] } }), [
    'config.not-allowed usb.monitorCommand.1',
  ]);
});

test('fields that contradict each other are refused [Q3]', () => {
  const uplink = (values: object) => codesOf({ uplink: values });
  assert.deepEqual(uplink({ url: 'mqtts://b', certFile: '/c' }), ['config.missing uplink.keyFile']);
  assert.deepEqual(uplink({ url: 'mqtts://b', keyFile: '/k' }), ['config.missing uplink.certFile']);
  assert.deepEqual(uplink({ url: 'mqtt://b', caFile: '/c' }), ['config.conflict uplink.caFile']);
  assert.deepEqual(uplink({ backoffMinMs: 100, backoffMaxMs: 99 }), ['config.conflict uplink.backoffMinMs']);
  assert.deepEqual(uplink({ password: 'x' }), ['config.missing uplink.username']);
  assert.deepEqual(uplink({ url: 'mqtts://' }), ['config.not-allowed uplink.url']);
  assert.deepEqual(codesOf({ buffer: { batchEvents: 500, memoryQueueEvents: 100 } }), [
    'config.conflict buffer.batchEvents',
  ]);
  configOf({ uplink: { url: 'mqtts://b:8883', caFile: '/a', certFile: '/c', keyFile: '/k' } });
});

test('a trusted proxy is an address or a network, and never everybody [S8, Q3]', () => {
  const proxies = (...trustedProxies: unknown[]) => ({ status: { trustedProxies } });
  const good = ['127.0.0.1', '10.1.2.3/8', '::1', 'fd00::/64'];
  assert.deepEqual(configOf(proxies(...good)).status.trustedProxies, good);
  assert.equal(configOf({}).status.trustedProxies, undefined);
  for (const wrong of ['127.0.0', '0.0.0.0/0', '::/0', '10.0.0.0/33', 'fd00::/129', '10.0.0.0/', 'proxy', 5])
    assert.match(
      codesOf(proxies('127.0.0.1', wrong)).join(),
      /^config\.(not-allowed|wrong-type) status\.trustedProxies\.1$/,
      String(wrong),
    );
});

test('a secret of the wrong kind is never in the message [Q3]', () => {
  const text = JSON.stringify([
    problemsOf({ uplink: { password: 12345678 } }),
    problemsOf({ uplink: { url: 'amqp://me:12345678@host' } }),
    problemsOf('{"uplink":{"password":"12345678" "x"}}'),
  ]);
  assert.doesNotMatch(text, /12345678/);
});

test('text that is no JSON object, or says something twice, is refused with the place [Q3]', () => {
  assert.match(problemsOf('{\n  "usb": {,}\n}')[0]?.message ?? '', /line 2, column 11/);
  assert.match(problemsOf('')[0]?.message ?? '', /it is empty/);
  assert.match(problemsOf('{"usb":')[0]?.message ?? '', /ends too early/);
  assert.deepEqual(codesOf('[]'), ['config.wrong-type ']);
  assert.deepEqual(codesOf('null'), ['config.wrong-type ']);
  assert.deepEqual(codesOf('{"usb":{"burst":9},"log":{},"usb":{"burst":8,"b\\u0075rst":7}}'), [
    'config.duplicate-key usb',
    'config.duplicate-key usb.burst',
  ]);
  assert.deepEqual(codesOf(' '.repeat(1_048_577)), ['config.too-large ']);
  assert.equal(configOf('\uFEFF{"usb":{"debounceMs":1}}').usb.debounceMs, 1);
  assert.deepEqual(
    configOf('{"usb":{"monitorCommand":["a","a","{\\"usb\\":1}"]}}').usb.monitorCommand[1],
    'a',
  );
});

test('names of the language itself are unknown keys and change nothing [Q3]', () => {
  const text = '{"__proto__":{"polluted":1},"usb":{"__proto__":{"polluted":1},"constructor":1}}';
  assert.deepEqual(codesOf(text), [
    'config.unknown-key __proto__',
    'config.unknown-key usb.__proto__',
    'config.unknown-key usb.constructor',
  ]);
  assert.equal(({} as { polluted?: number }).polluted, undefined);
});

test('4,000 mutations of a configuration are accepted or refused, and never throw [Q3]', () => {
  const random = seededRandom(7);
  const whole = JSON.stringify(configOf({ uplink: { url: 'mqtts://b', username: 'u', password: 'p' } }));
  const verdicts = { accepted: 0, refused: 0 };
  for (let round = 0; round < 4_000; round++) {
    const at = random.integer(whole.length);
    const inserted = random.pick(['"', '{', '}', '[', '-', '9', '\u0000', '\\', 'null', ',', '']);
    const verdict = load(whole.slice(0, at) + inserted + whole.slice(at + random.integer(3)));
    verdicts[verdict.ok ? 'accepted' : 'refused'] += 1;
    if (!verdict.ok)
      assert.ok(verdict.problems.every(({ code, message }) => code !== undefined && message !== ''));
  }
  assert.ok(verdicts.accepted > 100 && verdicts.refused > 100, JSON.stringify(verdicts));
});
