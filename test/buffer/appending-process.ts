// A process that appends until it is killed: `node appending-process.ts SOCKET MARK FIRST`. Prints a line `<id> <name>`
// for every acknowledged event, written to the pipe before the next is appended by the same lane.
import { writeSync } from 'node:fs';
import path from 'node:path';
import { openBuffer } from '../../src/buffer/open-buffer.ts';
import { formatEventId, START } from '../../src/contracts/event.ts';
import { fakeClock } from '../support/fake-clock.ts';
import { recordingLog } from '../support/recording-log.ts';
import { recordingMetrics } from '../support/recording-metrics.ts';
import { draft, sealForTest, testConfig, traceparent } from './open-test-buffer.ts';

const [redisSocket = '', markFile = '', first = '0'] = process.argv.slice(2);
const buffer = await openBuffer({
  ...{ config: testConfig({ redisSocket }), markFile, seal: sealForTest, clock: fakeClock() },
  archiveFolder: path.join(path.dirname(markFile), 'archive'),
  ...{ log: recordingLog(), metrics: recordingMetrics().buffer, report: () => undefined },
  traceparent: () => traceparent,
});
let n = Number(first);

async function lane(size: number): Promise<never> {
  for (;;) {
    const from = n;
    n += size;
    const ids = await buffer.append(Array.from({ length: size }, (_, index) => draft(from + index)));
    const lines = ids.map((id, index) => `${formatEventId(id)} n${from + index}\n`);
    writeSync(1, lines.join(''));
    if (size === 2) await buffer.mayPublish(ids[0] ?? START);
  }
}
await Promise.all([1, 1, 2, 5, 40].map(lane));
