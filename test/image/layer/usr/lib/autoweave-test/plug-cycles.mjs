// Real plugs on dummy_hcd, each of a device with numbers of its own: argument N, plugs numbered 1 to N (vendor 0x1000, product the
// number), eight ports in turn. Prints how many there were and how long sysfs showed them, in ms.
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';

const wanted = Number(process.argv[2]);
const first = Number(process.argv[3] ?? 1);
const controllers = 8;
const configfs = '/sys/kernel/config';

function prepare() {
  if (!existsSync('/sys/devices/platform/dummy_hcd.0'))
    execFileSync('modprobe', ['dummy_hcd', `num=${controllers}`, 'is_high_speed=1', 'is_super_speed=0']);
  execFileSync('modprobe', ['libcomposite']);
  execFileSync('modprobe', ['usb_f_ss_lb']);
  if (!existsSync(`${configfs}/usb_gadget`)) execFileSync('mount', ['-t', 'configfs', 'configfs', configfs]);
  return Array.from({ length: controllers }, (_, index) => {
    const gadget = `${configfs}/usb_gadget/cycle${index}`;
    if (!existsSync(gadget)) {
      mkdirSync(gadget);
      mkdirSync(`${gadget}/strings/0x409`);
      writeFileSync(`${gadget}/strings/0x409/serialnumber`, `cycle-${index}`);
      mkdirSync(`${gadget}/configs/c.1`);
      mkdirSync(`${gadget}/functions/SourceSink.0`);
      symlinkSync(`${gadget}/functions/SourceSink.0`, `${gadget}/configs/c.1/SourceSink.0`);
    }
    writeFileSync(`${gadget}/idVendor`, '0x1000');
    const [bus = ''] = readdirSync(`/sys/devices/platform/dummy_hcd.${index}`).filter((name) =>
      /^usb\d/.test(name),
    );
    return { gadget, name: `dummy_udc.${index}`, device: `/sys/bus/usb/devices/${bus.slice(3)}-1` };
  });
}

async function until(condition) {
  while (!condition()) await delay(1);
}

const shownMs = [];
let next = first;

async function plugInTurn({ gadget, name, device }) {
  while (next < first + wanted) {
    writeFileSync(`${gadget}/idProduct`, `0x${(next++).toString(16).padStart(4, '0')}`);
    writeFileSync(`${gadget}/UDC`, name);
    await until(() => existsSync(device));
    const seen = performance.now();
    writeFileSync(`${gadget}/UDC`, '\n');
    await until(() => !existsSync(device));
    shownMs.push(performance.now() - seen);
    await delay(20);
  }
}

await Promise.all(prepare().map(plugInTurn));
shownMs.sort((a, b) => a - b);
const at = (part) => Math.round((shownMs[Math.floor(part * (shownMs.length - 1))] ?? 0) * 10) / 10;
console.log(JSON.stringify({ plugs: shownMs.length, p50: at(0.5), p95: at(0.95), max: at(1) }));
process.exit();
