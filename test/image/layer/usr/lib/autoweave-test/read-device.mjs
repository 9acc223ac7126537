// Prints what sysfs says about one USB device, port path as the argument: {devpath, attributes, descriptors, interfaces}.
import { readdirSync, readFileSync, readlinkSync, realpathSync, statSync } from 'node:fs';
import path from 'node:path';

const port = process.argv[2];
const home = realpathSync(`/sys/bus/usb/devices/${port}`);
const binary = ['descriptors', 'bos_descriptors'];

function attributesOf(folder) {
  const found = {};
  for (const name of readdirSync(folder).sort()) {
    const file = path.join(folder, name);
    // Write-only attributes (remove) and those without a value at the moment are left out.
    const { mode } = statSync(file);
    if (binary.includes(name) || (mode & 0o170000) !== 0o100000 || (mode & 0o444) === 0) continue;
    try {
      found[name] = readFileSync(file, 'utf8').replace(/\n$/, '');
    } catch (error) {
      if (!['ENODATA', 'EINVAL', 'EIO', 'EPERM', 'EACCES'].includes(error.code)) throw error;
    }
  }
  return found;
}

function driverOf(folder) {
  try {
    return path.basename(readlinkSync(path.join(folder, 'driver')));
  } catch (error) {
    if (error.code === 'ENOENT') return null;
    throw error;
  }
}

const interfaces = {};
for (const name of readdirSync(home).sort()) {
  if (!name.startsWith(`${port}:`)) continue;
  const folder = path.join(home, name);
  interfaces[name] = { attributes: attributesOf(folder), driver: driverOf(folder) };
}
console.log(
  JSON.stringify({
    devpath: home.replace(/^\/sys/, ''),
    attributes: attributesOf(home),
    descriptors: readFileSync(path.join(home, 'descriptors')).toString('base64'),
    interfaces,
  }),
);
