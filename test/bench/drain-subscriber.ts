// `node drain-subscriber.ts URL COUNT`: prints "ready" once subscribed, then one line of JSON when COUNT events have come:
// whether their numbers went up one by one. A process of its own, so that it takes no time from what is measured.
import mqtt from 'mqtt';

const [url = '', count = ''] = process.argv.slice(2);
const client = await mqtt.connectAsync(url, { protocolVersion: 5 });
let received = 0;
let expected: number | null = null;
let outOfOrder = 0;
client.on('message', (_topic, payload) => {
  // The id stands near the beginning: {"specversion":"1.0","id":"1-1841",…
  const id = /"id":"\d+-(\d+)"/.exec(payload.toString('latin1', 0, 80))?.[1];
  const number = Number(id);
  if (number !== (expected ?? number)) outOfOrder += 1;
  expected = number + 1;
  received += 1;
  if (received < Number(count)) return;
  console.log(JSON.stringify({ received, outOfOrder, last: number }));
  client.end(true);
});
await client.subscribeAsync('autoweave/v1/+/+/+/event/#', { qos: 0 });
console.log('ready');
