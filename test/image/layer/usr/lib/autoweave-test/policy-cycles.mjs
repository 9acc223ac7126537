// Real plugs of gadgets on dummy_hcd, some of which the policy allows (product ids 0x01xx) and some not (0x02xx). Watches each of
// them every millisecond: a blocked one must never have an interface, an allowed one must get it. Argument: how many plugs.
// Prints the counts as JSON; times in ms from the device's appearance in sysfs until it is authorized and has its interface.
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';

const wanted = Number(process.argv[2]);
const controllers = 2;
const configfs = '/sys/kernel/config';
/** A blocked device is watched for so long: several times what an allowed one needs. */
const watchMs = 600;
const limitMs = 120_000;
/** Looking for an allowed one every millisecond would take the processor from the daemon that is to let it in. */
const restMs = 10;

function prepare() {
  execFileSync('modprobe', ['dummy_hcd', `num=${controllers}`, 'is_high_speed=1', 'is_super_speed=0']);
  execFileSync('modprobe', ['libcomposite']);
  execFileSync('modprobe', ['usb_f_ss_lb']);
  if (!existsSync(`${configfs}/usb_gadget`)) execFileSync('mount', ['-t', 'configfs', 'configfs', configfs]);
  return Array.from({ length: controllers }, (_, index) => {
    const gadget = `${configfs}/usb_gadget/policy${index}`;
    mkdirSync(gadget);
    writeFileSync(`${gadget}/idVendor`, '0x1d6b');
    mkdirSync(`${gadget}/strings/0x409`);
    mkdirSync(`${gadget}/configs/c.1`);
    mkdirSync(`${gadget}/functions/SourceSink.0`);
    symlinkSync(`${gadget}/functions/SourceSink.0`, `${gadget}/configs/c.1/SourceSink.0`);
    const [bus = ''] = readdirSync(`/sys/devices/platform/dummy_hcd.${index}`).filter((name) =>
      /^usb\d/.test(name),
    );
    const port = `${bus.slice(3)}-1`;
    return { gadget, udc: `dummy_udc.${index}`, port, device: `/sys/bus/usb/devices/${port}` };
  });
}

async function until(condition, ms, pauseMs = restMs) {
  const end = performance.now() + ms;
  while (!condition()) {
    if (performance.now() > end) return false;
    await delay(pauseMs);
  }
  return true;
}

const counts = { plugs: 0, allowed: 0, blocked: 0, wrong: 0, windows: 0 };
const allowedMs = [];
const wrongs = [];

function attribute(file) {
  try {
    return readFileSync(file, 'latin1').trim();
  } catch {
    return null;
  }
}

async function cycle({ gadget, udc, port, device }, round) {
  // Not in turn: which kind comes next at a port follows no pattern a cache could learn.
  const isAllowed = (round * 2_654_435_761) % 5 < 2;
  writeFileSync(`${gadget}/idProduct`, isAllowed ? '0x0101' : '0x0202');
  writeFileSync(`${gadget}/strings/0x409/serialnumber`, `${isAllowed ? 'a' : 'b'}${round}`);
  writeFileSync(`${gadget}/UDC`, udc);
  await until(() => existsSync(device), limitMs);
  const seen = performance.now();
  const hasInterface = () => existsSync(`${device}/${port}:1.0`);
  if (isAllowed) {
    const isDone = await until(() => attribute(`${device}/authorized`) === '1' && hasInterface(), limitMs);
    if (isDone) allowedMs.push(performance.now() - seen);
    else {
      counts.wrong++;
      wrongs.push(`round ${round}: allowed, and not authorized at ${port}`);
    }
    counts.allowed++;
  } else {
    const wasBound = await until(hasInterface, watchMs, 1);
    if (wasBound) counts.windows++;
    if (attribute(`${device}/authorized`) !== '0') {
      counts.wrong++;
      wrongs.push(`round ${round}: blocked, and authorized at ${port}`);
    }
    counts.blocked++;
  }
  writeFileSync(`${gadget}/UDC`, '\n');
  await until(() => !existsSync(device), limitMs);
  counts.plugs++;
}

const gadgets = prepare();
let next = 0;
await Promise.all(
  gadgets.map(async (gadget) => {
    while (next < wanted) await cycle(gadget, next++);
  }),
);
allowedMs.sort((a, b) => a - b);
const at = (part) => Math.round(allowedMs[Math.floor(part * (allowedMs.length - 1))] ?? -1);
console.log(
  JSON.stringify({ ...counts, p50: at(0.5), p95: at(0.95), max: at(1), wrongs: wrongs.slice(0, 5) }),
);
process.exit();
