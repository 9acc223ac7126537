// Makes an LED that the kernel drives like a real one: a notifier light (1294:1320) behind /dev/uhid, for as long as this runs.
import { openSync, readSync, writeSync } from 'node:fs';

const UHID_CREATE2 = 11;
// One output report of six bytes, as hid-led sends it.
const reportDescriptor = Buffer.from('0600ff0901a1010902150026ff00750895069102c0', 'hex');
const event = Buffer.alloc(4 + 128 + 64 + 64 + 2 + 2 + 4 * 4 + 4096);
event.writeUInt32LE(UHID_CREATE2, 0);
event.write('virtual notifier', 4);
let at = 4 + 128 + 64 + 64;
at = event.writeUInt16LE(reportDescriptor.length, at);
at = event.writeUInt16LE(3, at); // BUS_USB
at = event.writeUInt32LE(0x1294, at);
at = event.writeUInt32LE(0x1320, at);
at = event.writeUInt32LE(0, at);
at = event.writeUInt32LE(0, at);
reportDescriptor.copy(event, at);

const device = openSync('/dev/uhid', 'r+');
writeSync(device, event);
process.stdout.write('made\n');
const said = Buffer.alloc(4_380);
for (;;) readSync(device, said);
