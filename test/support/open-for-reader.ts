// A named pipe that somebody under test reads -> its writing end, so that a test can act while the reader waits.
import assert from 'node:assert/strict';
import { constants, openSync } from 'node:fs';

/** null until somebody reads. */
export function openForReader(fifo: string): number | null {
  try {
    return openSync(fifo, constants.O_WRONLY | constants.O_NONBLOCK);
  } catch (cause) {
    assert.equal((cause as NodeJS.ErrnoException).code, 'ENXIO');
    return null;
  }
}
