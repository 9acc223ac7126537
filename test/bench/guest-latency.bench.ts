// From the kernel record to the fsynced append in the booted guest, debounce 0, with real plugs of a keyboard through QEMU. All of
// it is emulated, many times slower than the machine itself, and an `added` waits for strings that the kernel keeps locked while
// it probes the driver. Limit: one plain append in the same guest.
import { hostFromGuest, startGuest } from '../support/guest.ts';
import { buildGuestImage, whyNoGuest } from '../support/guest-image.ts';
import { histogramQuantiles } from '../support/histogram-quantiles.ts';
import { startMosquitto } from '../support/mosquitto.ts';
import { startSubscriber } from '../support/mqtt-subscriber.ts';
import { withCleanup } from '../support/with-cleanup.ts';
import { type BenchRow, benchRow } from './bench-row.ts';

const CYCLES = 40;
/** Quiet: a second. */
const LIMIT_MS = 60_000;
const quantiles = [0.5, 0.95, 0.99];

/** Runs in the guest: one append after the other over the socket, then the times in ms as JSON. */
const appendAlone = `
  const net = require('node:net');
  const socket = net.connect('/run/redis/redis.sock');
  const command = (...words) => '*' + words.length + '\\r\\n' + words.map((word) => '$' + word.length + '\\r\\n' + word + '\\r\\n').join('');
  const samples = [];
  let began = 0;
  const next = () => { began = performance.now(); socket.write(command('XADD', 'aw:bench', '*', 'e', 'x'.repeat(900))); };
  socket.on('data', () => {
    samples.push(performance.now() - began);
    if (samples.length < 300) return next();
    socket.write(command('DEL', 'aw:bench'), () => { console.log(JSON.stringify(samples.sort((a, b) => a - b))); process.exit(); });
  });
  next();`;

export async function* bench(): AsyncIterable<BenchRow> {
  const why = whyNoGuest();
  if (why !== false) throw new Error(`the benchmark in the guest cannot run here: ${why}`);
  yield* withCleanup(async function* (t) {
    const broker = await startMosquitto(t);
    const subscriber = await startSubscriber(t, broker.url);
    const guest = await startGuest(t, {
      image: await buildGuestImage(),
      until: 'daemon',
      config: {
        usb: { debounceMs: 0, portBurst: 100_000 },
        uplink: { url: `mqtt://${hostFromGuest}:${broker.port}` },
        status: { listen: '0.0.0.0', public: 'all' },
      },
    });
    yield benchRow('guest (emulated): start of QEMU -> the daemon answers', guest.bootSeconds, null, 's');
    const limits = JSON.parse(
      await guest.shell.must(`node -e "${appendAlone.replaceAll('"', '\\"')}"`),
    ) as number[];
    const metrics = async () => (await fetch(`${guest.statusUrl}/metrics`)).text();
    // What happened while the guest was booting is not what is measured, and nothing is asked of it meanwhile.
    const before = await metrics();
    for (let cycle = 1; cycle <= CYCLES; cycle += 1) {
      await guest.devices.plug('keyboard');
      await subscriber.count(/\/event\/usb\.device\.ready$/, cycle, LIMIT_MS);
      await guest.devices.unplug('keyboard');
      await subscriber.count(/\/event\/usb\.device\.removed$/, cycle, LIMIT_MS);
    }
    const ours = histogramQuantiles(await metrics(), 'autoweave_event_latency_seconds', quantiles, before);
    for (const [index, quantile] of quantiles.entries()) {
      const limit = limits[Math.floor(quantile * limits.length)] ?? null;
      const name = `guest (emulated): kernel record -> fsynced, p${quantile * 100}`;
      yield benchRow(name, 1_000 * (ours[index] ?? Number.NaN), limit, 'ms');
    }
  });
}
