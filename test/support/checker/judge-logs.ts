// `node judge-logs.ts DIR`: reads the two logs of record.ts and prints the verdict as one line of JSON; ends with 1 when it found a fault.
import { createReadStream } from 'node:fs';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { createJudge } from './judge.ts';
import { ACKNOWLEDGED_LOG, ARRIVED_LOG, parseAcknowledged, parseArrival } from './record-lines.ts';

const [dir = '.'] = process.argv.slice(2);
const judge = createJudge();
const linesOf = (name: string) => createInterface(createReadStream(path.join(dir, name)));
for await (const line of linesOf(ACKNOWLEDGED_LOG)) judge.acknowledged(parseAcknowledged(line));
for await (const line of linesOf(ARRIVED_LOG)) judge.arrived(parseArrival(line));
const verdict = judge.verdict();
console.log(JSON.stringify(verdict));
process.exitCode = verdict.ok ? 0 : 1;
