// Records what a real kernel and udevd say about each kind of device: src/workbench/captures/<kind>.json. Run by hand:
// `node test/image/record-captures.ts`. The guest needs no daemon.
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { type Guest, startGuest } from '../support/guest.ts';
import { type DeviceKind, deviceKinds } from '../support/guest-devices.ts';
import { buildGuestImage } from '../support/guest-image.ts';
import { until } from '../support/until.ts';

const captures = path.resolve(import.meta.dirname, '../../src/workbench/captures');
const log = '/run/monitor.log';

/** kind -> what it is, and the subsystem whose record comes last. */
const kinds: Readonly<Record<DeviceKind, { readonly about: string; readonly last: string }>> = {
  keyboard: { about: 'A keyboard with one HID interface', last: 'input' },
  mouse: { about: 'A mouse with one HID interface', last: 'input' },
  tablet: { about: 'A graphics tablet with one HID interface', last: 'input' },
  storage: { about: 'A memory stick of 8 MiB, bulk-only transport, SuperSpeed', last: 'block' },
  serial: { about: 'An FTDI serial adapter', last: 'tty' },
  hub: { about: 'A hub with eight ports', last: 'usb' },
  'hub-child': { about: 'A mouse on port 2 of the hub', last: 'input' },
  audio: { about: 'An audio device with a control and a streaming interface', last: 'sound' },
  network: { about: 'A network adapter with a RNDIS and a CDC configuration', last: 'net' },
};

interface Attached {
  readonly devpath: string;
  readonly attach: string;
}

async function record(guest: Guest, kind: DeviceKind): Promise<Attached> {
  const { about, last } = kinds[kind];
  const attach = await during(guest, last, 'add', () => guest.devices.plug(kind));
  const devpath = /^DEVPATH=(\S+)$/m.exec(attach)?.[1] ?? '';
  const port = path.basename(devpath);
  const facts = JSON.parse(
    await guest.shell.must(`node /usr/lib/autoweave-test/read-device.mjs ${port}`),
  ) as {
    readonly devpath: string;
  };
  const head = { name: kind, about, port };
  return { ...head, ...facts, attach: below(devpath, attach) };
}

/** The records of the device and what hangs on it, verbatim; loading a driver for the first time adds others. */
function below(devpath: string, text: string): string {
  const records = text
    .split('\n\n')
    .filter((record) => `${record}\n`.match(/^DEVPATH=(.*)$/m)?.[1]?.startsWith(devpath));
  return records.map((record) => `${record}\n\n`).join('');
}

/** The monitor's text from before `act` until udev has answered every record of the kernel and `last` was among them. */
async function during(guest: Guest, last: string, action: string, act: () => Promise<void>): Promise<string> {
  await guest.shell.must(`: >${log}`);
  await act();
  return until(
    `the ${last} record`,
    async () => {
      const text = await guest.shell.must(`udevadm settle; cat ${log}`);
      const heads = (source: string) => text.match(new RegExp(`^${source} *\\[`, 'gm'))?.length ?? 0;
      const seen = new RegExp(`^UDEV .* ${action} .*\\(${last}\\)$`, 'm').test(text);
      return seen && heads('KERNEL') === heads('UDEV') && text.endsWith('\n\n') ? text : undefined;
    },
    120_000,
  );
}

const undo: (() => unknown)[] = [];
const t = { after: (step: () => unknown) => void undo.push(step) };
const work = await mkdtemp(path.join(tmpdir(), 'autoweave-capture-'));
try {
  const idle = path.join(work, 'idle.mjs');
  await writeFile(idle, 'setInterval(() => undefined, 1e9);\n');
  const guest = await startGuest(t, { image: await buildGuestImage(idle), config: {}, until: 'agent' });
  await guest.shell.must(
    `udevadm monitor --kernel --udev --property >>${log} 2>&1 </dev/null & udevadm settle`,
  );
  await mkdir(captures, { recursive: true });
  const half = new Map<DeviceKind, Attached>();
  for (const kind of deviceKinds) {
    half.set(kind, await record(guest, kind));
    // The hub stays for its child.
    const leaving: readonly DeviceKind[] =
      kind === 'hub' ? [] : kind === 'hub-child' ? [kind, 'hub'] : [kind];
    for (const gone of leaving) {
      const text = await during(guest, 'usb', 'remove', () => guest.devices.unplug(gone));
      const attached = half.get(gone);
      const detach = below(attached?.devpath ?? '', text);
      const file = path.join(captures, `${gone}.json`);
      await writeFile(file, `${JSON.stringify({ ...attached, detach }, null, 2)}\n`);
      console.log(`${gone}: ${path.relative(process.cwd(), file)}`);
    }
  }
} finally {
  for (const step of undo.reverse()) await step();
  await rm(work, { recursive: true, force: true });
}
