// What often differs between C libraries: stack sizes of threads, the resolver, languages. One JSON object.
import dns from 'node:dns/promises';
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';

function depthEnds() {
  const down = () => down() + 1;
  try {
    return down();
  } catch (error) {
    return error.name;
  }
}

const worker = new Worker(
  `${depthEnds}; require('node:worker_threads').parentPort.postMessage(depthEnds())`,
  { eval: true },
);
const [workerStack] = await once(worker, 'message');
const nest = (depth) => '['.repeat(depth) + ']'.repeat(depth);
const found = await dns.lookup('localhost');

console.log(
  JSON.stringify({
    isGlibc: process.report.getReport().header.glibcVersionRuntime !== undefined,
    mainStack: depthEnds(),
    workerStack,
    nestedJson: JSON.stringify(JSON.parse(nest(2_000))).length,
    localhost: found.address,
    unknownName: await dns.lookup('no-such-host.invalid').then(
      () => 'found',
      () => 'not found',
    ),
    euro: new Intl.NumberFormat('de-DE', { style: 'currency', currency: 'EUR' }).format(1234.5),
    sorted: ['z', 'ä', 'a'].sort(new Intl.Collator('de').compare).join(),
  }),
);
