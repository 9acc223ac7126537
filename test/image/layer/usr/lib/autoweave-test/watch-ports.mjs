// Looks at USB ports as often as it can until the file /run/watch-end exists. Arguments: ports. Prints as JSON how often it looked, and
// how often the device of one of them had an interface.
import { existsSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';

const ports = process.argv.slice(2);
const counts = { looks: 0, bound: 0 };
while (!existsSync('/run/watch-end')) {
  counts.looks++;
  for (const port of ports) if (existsSync(`/sys/bus/usb/devices/${port}/${port}:1.0`)) counts.bound++;
  await delay(1);
}
console.log(JSON.stringify(counts));
