// `node record.ts BROKER_URL DIR FILTER`: a process of its own that writes down what it is told was acknowledged (stdin, one line an
// event: `a SOURCE ID CRC`) and what arrives at the broker, both fsynced. `?` asks for one line of JSON with the counts, once all that
// came before it is on disk. Ends with stdin. It shares no process with anything that a drill kills.
import { closeSync, fdatasyncSync, openSync, writeSync } from 'node:fs';
import path from 'node:path';
import { createInterface } from 'node:readline';
import mqtt from 'mqtt';
import { IdLedger, parseId } from './id-ledger.ts';
import {
  ACKNOWLEDGED_LOG,
  ARRIVED_LOG,
  formatAcknowledged,
  formatArrival,
  parseAcknowledged,
  toArrival,
} from './record-lines.ts';

const SYNC_EVERY_MS = 200;

const [url = '', dir = '', filter = ''] = process.argv.slice(2);
const ledger = new IdLedger();
let acknowledged = 0;
let arrived = 0;
const openLog = (name: string) => {
  const descriptor = openSync(path.join(dir, name), 'a');
  let waiting = '';
  return {
    write(line: string) {
      waiting += line;
    },
    sync() {
      if (waiting === '') return;
      writeSync(descriptor, waiting);
      waiting = '';
      fdatasyncSync(descriptor);
    },
    close: () => closeSync(descriptor),
  };
};
const logs = { acknowledged: openLog(ACKNOWLEDGED_LOG), arrived: openLog(ARRIVED_LOG) };
const sync = () => {
  logs.acknowledged.sync();
  logs.arrived.sync();
};

// The broker keeps the session while it is restarted, so that the checker itself misses nothing.
const client = await mqtt.connectAsync(url, {
  ...{ clientId: 'checker', clean: false, protocolVersion: 5, reconnectPeriod: 100 },
  properties: { sessionExpiryInterval: 86_400 },
});
client.on('message', (_topic, payload) => {
  const arrival = toArrival(payload);
  arrived += 1;
  ledger.arrived(arrival.source, parseId(arrival.id), arrival.crc);
  logs.arrived.write(formatArrival(arrival));
});
await client.subscribeAsync(filter, { qos: 1 });
const timer = setInterval(sync, SYNC_EVERY_MS);
console.log('ready');

for await (const line of createInterface(process.stdin)) {
  if (line === '?') {
    sync();
    console.log(JSON.stringify({ acknowledged, arrived, missing: ledger.missing }));
    continue;
  }
  const record = parseAcknowledged(line.slice(2));
  acknowledged += 1;
  ledger.acknowledged(record.source, parseId(record.id), record.crc);
  logs.acknowledged.write(formatAcknowledged(record));
}
clearInterval(timer);
await client.endAsync();
sync();
logs.acknowledged.close();
logs.arrived.close();
