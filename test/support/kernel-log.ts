// A FIFO in place of /dev/kmsg: what the kernel would say, a record for each line, numbered as there.
import { execFileSync } from 'node:child_process';
import { closeSync, constants, openSync, readFileSync, writeSync } from 'node:fs';
import path from 'node:path';
import type { Cleanup } from './with-cleanup.ts';

export interface KernelLog {
  readonly file: string;
  /** Returns the record, to be said again: whoever opens the real log gets what the kernel has kept. */
  say(text: string): string;
  again(record: string): void;
}

export function kernelLog(t: Cleanup, dir: string): KernelLog {
  const file = path.join(dir, 'kmsg');
  execFileSync('mkfifo', [file]);
  // Opened for both directions: neither a write nor the reader's open ever blocks or ends the stream.
  const fd = openSync(file, constants.O_RDWR);
  t.after(() => closeSync(fd));
  let sequence = 0;
  const again = (record: string) => void writeSync(fd, record);
  return {
    file,
    again,
    say(text) {
      sequence += 1;
      const [uptime = '0'] = readFileSync('/proc/uptime', 'utf8').split(' ');
      const record = `6,${sequence},${Math.round(Number(uptime) * 1e6)},-;${text}\n SUBSYSTEM=usb\n DEVICE=c189:4\n`;
      again(record);
      return record;
    },
  };
}
