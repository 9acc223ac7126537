// Which test files belong to which tier. `flows/` and `image/` start real servers or a guest and run in `npm test` only.
import { globSync } from 'node:fs';

const slow = /^test\/(flows|image|bench|drill)\//;

export function fastTests(): string[] {
  return allTests().filter((file) => !slow.test(file));
}

export function flowTests(): string[] {
  return allTests().filter((file) => file.startsWith('test/flows/'));
}

/** Each boots machines for minutes, or needs what must be downloaded first: `npm test -- machines` runs them. */
const long =
  /^test\/image\/(alpine-.*|data-partition|first-start|hostile-plugins|install|oci|page-guest|plugins|power-cut|usb-policy|usb-stick-boot)\.test\.ts$/;

export function guestTests(): string[] {
  return allTests().filter((file) => file.startsWith('test/image/') && !long.test(file));
}

export function machineTests(): string[] {
  return allTests().filter((file) => long.test(file));
}

function allTests(): string[] {
  return globSync('{test,plugins}/**/*.test.ts').sort();
}
