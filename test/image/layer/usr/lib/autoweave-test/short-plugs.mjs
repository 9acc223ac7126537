// Real plugs that last a few milliseconds: gadgets on dummy_hcd, each taken away as soon as the kernel shows it in sysfs.
// Argument: how many plugs must be gone within 50 ms; goes on until there were so many. Prints how many plugs there were in all,
// how many of them were short, and how long sysfs showed them, in ms.
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';

const wanted = Number(process.argv[2]);
const controllers = 8;
const configfs = '/sys/kernel/config';

function prepare() {
  execFileSync('modprobe', ['dummy_hcd', `num=${controllers}`, 'is_high_speed=1', 'is_super_speed=0']);
  execFileSync('modprobe', ['libcomposite']);
  execFileSync('modprobe', ['usb_f_ss_lb']);
  if (!existsSync(`${configfs}/usb_gadget`)) execFileSync('mount', ['-t', 'configfs', 'configfs', configfs]);
  return Array.from({ length: controllers }, (_, index) => {
    const gadget = `${configfs}/usb_gadget/short${index}`;
    mkdirSync(gadget);
    writeFileSync(`${gadget}/idVendor`, '0x1d6b');
    writeFileSync(`${gadget}/idProduct`, `0x01${index.toString(16).padStart(2, '0')}`);
    mkdirSync(`${gadget}/strings/0x409`);
    writeFileSync(`${gadget}/strings/0x409/serialnumber`, `short-${index}`);
    mkdirSync(`${gadget}/configs/c.1`);
    mkdirSync(`${gadget}/functions/SourceSink.0`);
    symlinkSync(`${gadget}/functions/SourceSink.0`, `${gadget}/configs/c.1/SourceSink.0`);
    const [bus = ''] = readdirSync(`/sys/devices/platform/dummy_hcd.${index}`).filter((name) =>
      /^usb\d/.test(name),
    );
    return {
      udc: `${gadget}/UDC`,
      name: `dummy_udc.${index}`,
      device: `/sys/bus/usb/devices/${bus.slice(3)}-1`,
    };
  });
}

async function until(condition) {
  while (!condition()) await delay(1);
}

const shortMs = 50;
const shownMs = [];
const short = () => shownMs.filter((ms) => ms <= shortMs).length;

async function plugInTurn({ udc, name, device }) {
  while (short() < wanted) {
    writeFileSync(udc, name);
    await until(() => existsSync(device));
    const seen = performance.now();
    writeFileSync(udc, '\n');
    await until(() => !existsSync(device));
    shownMs.push(performance.now() - seen);
    // Longer than the debounce: what comes back sooner on the same port is a bounce, counted and folded.
    await delay(150);
  }
}

const gadgets = prepare();
await Promise.all(gadgets.map(plugInTurn));
shownMs.sort((a, b) => a - b);
const at = (part) => Math.round(shownMs[Math.floor(part * (shownMs.length - 1))] * 10) / 10;
console.log(
  JSON.stringify({ plugs: shownMs.length, short: short(), p50: at(0.5), p95: at(0.95), max: at(1) }),
);
process.exit();
