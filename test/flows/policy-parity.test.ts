// The real usbguard-daemon and ours judge the same recorded host by the same random policies.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import test from 'node:test';
import { readUsbHost } from '../../src/cli/usb-policy/read-usb-host.ts';
import { verdictsOf } from '../../src/policy/diff-policies.ts';
import { parsePolicy } from '../../src/policy/parse-policy.ts';
import type { PolicyDevice } from '../../src/policy/policy-device.ts';
import { printRule } from '../../src/policy/print-rule.ts';
import { type Rule, type RuleBody, setOperators, targets, type ValueSet } from '../../src/policy/rule.ts';
import { mockHost, umockdevDescription, writeSysfs } from '../policy/mock-host.ts';
import { missing } from '../policy/usbguard-peer.ts';
import { type SeededRandom, seededRandom } from '../support/seeded-random.ts';
import { tempDir } from '../support/temp-dir.ts';

const noPeer = missing('usbguard-daemon') ?? missing('umockdev-run') ?? false;
const POLICIES = 25;

test('usbguard-daemon and ours give the same verdicts by 25 random policies [U6]', {
  skip: noPeer,
}, async (t) => {
  const dir = await tempDir(t);
  const description = path.join(dir, 'host.umockdev');
  writeFileSync(description, umockdevDescription(mockHost()));
  writeSysfs(path.join(dir, 'sys'), mockHost());
  mkdirSync(path.join(dir, 'ipc'));
  const host = await readUsbHost({ sysfsRoot: path.join(dir, 'sys'), procRoot: '/proc' });
  assert.ok(host.ok);
  const devices = host.devices.flatMap(({ verdict }) => (verdict.ok ? [verdict.device] : []));
  const random = seededRandom(10);
  const runs = Array.from({ length: POLICIES }, (_, index) => {
    const implicitTarget = random.pick(targets);
    const rules = Array.from({ length: 1 + random.integer(12) }, () => ruleAbout(devices, random));
    // Who rejects a hub loses what is behind it, and USBGuard then cannot judge that any more.
    const lines = ['allow id 1d6b:*', 'allow with-interface equals { 09:00:00 }', ...rules.map(printRule)];
    writeFileSync(path.join(dir, `${index}.conf`), `${lines.join('\n')}\n`, 'latin1');
    chmodSync(path.join(dir, `${index}.conf`), 0o600);
    writeFileSync(path.join(dir, `${index}.daemon`), daemonConfig(dir, index, implicitTarget));
    return { implicitTarget, lines };
  });
  // The daemon says how many devices it has found once all are judged.
  const script = runs.map(
    (_, index) =>
      `{ usbguard-daemon -k -d -P -c '${dir}/${index}.daemon' 2>&1 & echo $! >'${dir}/pid'; wait; } | ` +
      `{ grep -m1 -q enumeration_count=; kill "$(cat '${dir}/pid')"; }`,
  );
  execFileSync('umockdev-run', ['-d', description, '--', 'sh', '-c', script.join('\n')], {
    stdio: 'ignore',
    timeout: 300_000,
  });

  const counts = { allow: 0, block: 0, reject: 0 };
  for (const [index, { implicitTarget, lines }] of runs.entries()) {
    const theirs = auditedTargets(readFileSync(path.join(dir, `${index}.audit`), 'latin1'));
    const parsed = parsePolicy(Buffer.from(lines.join('\n'), 'latin1'));
    assert.ok(parsed.ok);
    const context = { implicitTarget, uptimeMs: 0, secondOfDay: 0, random: () => 0.5 };
    for (const [at, verdict] of verdictsOf(parsed.policy, devices, context).entries()) {
      const port = devices[at]?.viaPort ?? '';
      // Controllers keep their state there, and are below the floor here.
      if (port.startsWith('usb')) continue;
      assert.equal(
        theirs.get(port),
        verdict.target,
        `${port} by policy ${index}:\n${lines.join('\n')}\n${implicitTarget}`,
      );
      counts[verdict.target]++;
    }
  }
  t.diagnostic(`same verdicts: ${JSON.stringify(counts)}`);
  assert.ok(
    Math.min(...Object.values(counts)) >= 30,
    `one verdict hardly ever came: ${JSON.stringify(counts)}`,
  );
});

function daemonConfig(dir: string, index: number, implicit: string): string {
  return [
    `RuleFile=${dir}/${index}.conf`,
    `ImplicitPolicyTarget=${implicit}`,
    'PresentDevicePolicy=apply-policy',
    'PresentControllerPolicy=keep',
    'InsertedDevicePolicy=apply-policy',
    'RestoreControllerDeviceState=false',
    'DeviceManagerBackend=uevent',
    'IPCAllowedUsers=root',
    `IPCAccessControlFiles=${dir}/ipc/`,
    'AuditBackend=FileAudit',
    `AuditFilePath=${dir}/${index}.audit`,
    '',
  ].join('\n');
}

/** Port -> target, from lines that say what became of a device. */
function auditedTargets(audit: string): ReadonlyMap<string, string> {
  const targetsByPort = new Map<string, string>();
  for (const line of audit.split('\n')) {
    const port = /device\.system_name='[^']*\/([^/']+)'/.exec(line)?.[1];
    const target = /target\.new='(\w+)'/.exec(line)?.[1];
    if (port !== undefined && target !== undefined) targetsByPort.set(port, target);
  }
  return targetsByPort;
}

/** A rule that has to do with these devices; without what the two are meant to judge differently (src/policy/README.md). */
function ruleAbout(devices: readonly PolicyDevice[], random: SeededRandom): Rule {
  const texts = (of: (device: PolicyDevice) => string) =>
    setOf(
      random,
      () => of(random.pick(devices)),
      setOperators.filter((each) => each !== 'match-all'),
    );
  const parts: readonly (() => RuleBody)[] = [
    () => ({
      id: setOf(random, () => idAbout(random.pick(devices), random), [
        'one-of',
        'none-of',
        'all-of',
        'equals',
      ]),
    }),
    () => ({ serial: texts(({ serial }) => serial) }),
    () => ({ name: texts(({ name }) => name) }),
    () => ({ hash: texts(({ hash }) => hash) }),
    () => ({ parentHash: texts(({ parentHash }) => parentHash) }),
    () => ({ viaPort: texts(({ viaPort }) => viaPort) }),
    () => ({ withConnectType: texts(({ connectType }) => connectType) }),
    () => ({
      withInterface: setOf(random, () => interfaceAbout(random.pick(devices), random), setOperators),
    }),
    () => ({
      conditions: {
        operator: 'equals',
        values: [
          { kind: random.pick(['true', 'false']), isNegated: random.integer(2) === 0, argument: null },
        ],
      },
    }),
  ];
  const body: RuleBody = {};
  for (let count = 1 + random.integer(2); count > 0; count--) Object.assign(body, random.pick(parts)());
  return { target: random.pick(targets), ...body };
}

function setOf<V>(
  random: SeededRandom,
  value: () => V,
  operators: readonly ValueSet<V>['operator'][],
): ValueSet<V> {
  const operator = random.pick(operators);
  return { operator, values: Array.from({ length: 1 + random.integer(3) }, value) };
}

function idAbout({ vendorId, productId }: PolicyDevice, random: SeededRandom) {
  return { vendor: vendorId, product: random.integer(2) === 0 ? '*' : productId };
}

function interfaceAbout({ interfaces }: PolicyDevice, random: SeededRandom) {
  const { class: code, subclass, protocol } = random.pick(interfaces);
  const width = random.integer(3);
  return { class: code, subclass: width === 0 ? null : subclass, protocol: width < 2 ? null : protocol };
}
