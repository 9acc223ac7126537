// Rule files, gatekeeper, guard and gate as the daemon joins them, over a sysfs tree of files. What the daemon leaves to its watch of
// the bus is done here by hand: `enter` for a record, `left` for another one.
import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { HostRoots } from '../../src/cli/usb-policy/read-usb-host.ts';
import { loadConfig } from '../../src/config/load-config.ts';
import type { EventData } from '../../src/contracts/event-types.ts';
import { startUsbPolicy } from '../../src/supervisor/start-usb-policy.ts';
import type { Gatekeeper } from '../../src/supervisor/usb-gatekeeper.ts';
import { type AuthorizationGate, createAuthorizationGate } from '../../src/usb/authorization-gate.ts';
import { createStringReader } from '../../src/usb/string-reader.ts';
import { mockHost, writeSysfs } from '../policy/mock-host.ts';
import { type FakeClock, fakeClock } from '../support/fake-clock.ts';
import { recordingLog } from '../support/recording-log.ts';
import { tempDir } from '../support/temp-dir.ts';
import type { Cleanup } from '../support/with-cleanup.ts';

export interface PolicyRig {
  readonly gate: AuthorizationGate;
  readonly gatekeeper: Gatekeeper;
  readonly clock: FakeClock;
  readonly suspected: EventData<'usb.device.suspected'>[];
  readonly health: string[];
  /** Another device; `authorized`: 0 as an appliance's kernel has it, 1 if it works already. */
  plug(port: string, address: number, descriptors: Uint8Array, authorized?: 0 | 1): Promise<void>;
  setRules(text: string): Promise<void>;
  override(isOn: boolean): Promise<void>;
  /** What sysfs says, and the verdict: `1 allow rule`. */
  state(port: string): string;
  /** Through with everything that was entered. */
  settled(): Promise<void>;
}

export interface RigOptions {
  readonly policy?: Readonly<Record<string, unknown>>;
  readonly before?: (sysfsRoot: string) => void;
  /** Where the system was started from. */
  readonly roots?: Pick<HostRoots, 'procRoot' | 'startedFrom'>;
}

export async function policyRig(t: Cleanup, rules: string, options: RigOptions = {}): Promise<PolicyRig> {
  const dir = await tempDir(t);
  const sysfsRoot = path.join(dir, 'sys');
  writeSysfs(sysfsRoot, mockHost());
  options.before?.(sysfsRoot);
  const file = path.join(dir, 'rules.conf');
  const overrideFile = path.join(dir, 'usb-override');
  writeFileSync(file, rules);
  const folders = { stateDir: path.join(dir, 'state'), runDir: path.join(dir, 'run') };
  mkdirSync(folders.runDir);
  const loaded = loadConfig({
    file: 'x',
    text: JSON.stringify({
      appliance: folders,
      usb: { sysfsRoot },
      policy: { mode: 'enforce', guard: 'block', file, overrideFile, ...options.policy },
    }),
    environment: {},
  });
  assert.ok(loaded.ok, JSON.stringify(loaded));
  const clock = fakeClock();
  const suspected: EventData<'usb.device.suspected'>[] = [];
  const health: string[] = [];
  let gate: AuthorizationGate | null = null;
  const policy = await startUsbPolicy({
    config: loaded.config,
    clock,
    report: (state, why) => health.push(`${state} ${why}`),
    say: (type, _subject, data) => {
      if (type === 'usb.device.suspected') suspected.push(data as EventData<'usb.device.suspected'>);
    },
    rejudge: () => gate?.recheck(),
    ...(options.roots && { roots: options.roots }),
  });
  t.after(() => policy.stop());
  const { gatekeeper } = policy;
  assert.ok(gatekeeper);
  const folderOf = (port: string) => path.join(sysfsRoot, 'bus/usb/devices', port);
  const nothing = () => undefined;
  const made = createAuthorizationGate({
    gatekeeper,
    ...{ uptimeMs: clock.uptimeMs, sysfsRoot, folderOf, log: recordingLog() },
    readStrings: createStringReader(),
    ...{ report: nothing, onFirstWritten: nothing, onJudged: nothing, onPassed: nothing },
  });
  gate = made;
  t.after(() => made.stop());
  const addresses = new Map<string, number>();
  return {
    ...{ gate: made, gatekeeper, clock, suspected, health },
    async plug(port, address, descriptors, authorized = 0) {
      const attributes = { devnum: `${address}`, authorized: `${authorized}`, product: 'a device' };
      for (const [name, value] of Object.entries(attributes))
        writeFileSync(path.join(folderOf(port), name), `${value}\n`);
      rmSync(path.join(folderOf(port), 'serial'), { force: true });
      writeFileSync(path.join(folderOf(port), 'descriptors'), descriptors);
      addresses.set(port, address);
      made.enter(port);
      await made.settled();
    },
    async setRules(text) {
      writeFileSync(file, text);
      await policy.look();
      await made.settled();
    },
    async override(isOn) {
      if (isOn) writeFileSync(overrideFile, '');
      else rmSync(overrideFile);
      await policy.look();
      await made.settled();
    },
    state(port) {
      const authorized = readFileSync(path.join(folderOf(port), 'authorized'), 'latin1').trim();
      const { target, by } = made.verdictOf(port, addresses.get(port) ?? 3) ?? {};
      return `${authorized} ${target} ${by}`;
    },
    settled: () => made.settled(),
  };
}
