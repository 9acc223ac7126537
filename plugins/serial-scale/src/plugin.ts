// Opens every serial adapter that the manifest names, as soon as it is there, and tells what the scale on it says.
import { definePlugin, type Plugin, type PluginContext, type SerialPort } from '../../api/plugin-api.ts';
import { type Protocol, parseReading } from './parse-reading.ts';
import { toLines } from './to-lines.ts';
import { createWeightWatch } from './weight-watch.ts';

interface Settings {
  readonly protocol?: Protocol | 'auto';
  readonly baudRate?: number;
  readonly dataBits?: 7 | 8;
  readonly parity?: 'none' | 'even' | 'odd';
  readonly stableReadings?: number;
  readonly tolerance?: number;
  readonly minChange?: number;
}

/** SICS: send the weight again and again. Scales of the other kind do so by themselves. */
const REPEAT = 'SIR\r\n';

export default definePlugin(serialScale());

function serialScale(): Plugin<Settings> {
  const open = new Set<string>();
  const openAll = async (context: PluginContext<Settings>) => {
    for (const port of await context.serial.list()) {
      if (open.has(port.name)) continue;
      open.add(port.name);
      // Not waited for: it goes on for as long as the device is there.
      read(port, context)
        .catch((cause: unknown) => context.log.warn(`${port.name}: ${String(cause)}`))
        .finally(() => open.delete(port.name));
    }
  };
  return {
    start: openAll,
    // The node exists from then on; a port that could not be opened earlier is tried again, too.
    onEvent: (_event, context) => openAll(context),
  };
}

async function read(port: SerialPort, context: PluginContext<Settings>): Promise<void> {
  const { config, emit, log, serial } = context;
  const { protocol = 'auto', stableReadings = 3, tolerance = 0, minChange = 0 } = config;
  const { baudRate = 9_600, dataBits = 8, parity = 'none' } = config;
  const stream = await serial.open(port.name, { baudRate, dataBits, parity });
  const place = { device: port.subject, port: port.name, vendorId: port.vendorId, productId: port.productId };
  await emit('connected', place);
  if (protocol === 'sics') await stream.write(Buffer.from(REPEAT));
  const watch = createWeightWatch({ stableReadings, tolerance, minChange });
  for await (const line of toLines(stream)) {
    const reading = parseReading(line, protocol);
    if (reading === null) {
      log.debug(`${port.name}: not a reading: ${JSON.stringify(line)}`);
      continue;
    }
    const told = watch.take(reading);
    if (told === null) continue;
    const { type, ...facts } = told;
    await emit(type, { ...place, ...facts });
  }
  await emit('disconnected', place);
}
