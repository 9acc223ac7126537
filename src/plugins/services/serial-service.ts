// Serial ports of USB devices for one plugin: the daemon opens the device and hands the bytes on; the plugin sees no node.
import { execFile } from 'node:child_process';
import { closeSync, constants, openSync } from 'node:fs';
import path from 'node:path';
import { ReadStream } from 'node:tty';
import { promisify } from 'node:util';
import type { PluginPermissions } from '../../contracts/plugin-manifest.ts';
import { errorText } from '../../lib/error-text.ts';
import type { PluginRequest } from '../protocol/from-host.ts';
import type { ToHost } from '../protocol/to-host.ts';
import type { RequestAnswer } from './answer-request.ts';
import { readUsbSerialPorts, type UsbSerialPort } from './usb-serial-ports.ts';

const STTY_LIMIT_MS = 5_000;
const STREAMS_MAX = 8;
/** Of one message. */
const CHUNK_MAX = 32_768;

type SerialRequest = Extract<PluginRequest, { op: `serial.${string}` }>;
type OpenRequest = Extract<SerialRequest, { op: 'serial.open' }>;

export interface SerialService {
  answer(request: SerialRequest): Promise<RequestAnswer>;
  closeAll(): void;
  /** While held, what a device says waits in the kernel. */
  hold(isHeld: boolean): void;
}

export function createSerialService(options: {
  readonly allowed: PluginPermissions['serial'];
  readonly sysfsRoot: string;
  readonly devRoot: string;
  readonly send: (message: Extract<ToHost, { t: `serial-${string}` }>) => void;
}): SerialService {
  const { allowed = [], devRoot, send, sysfsRoot } = options;
  const open = new Map<number, { readonly name: string; readonly tty: ReadStream }>();
  let last = 0;

  const mine = async () =>
    (await readUsbSerialPorts(sysfsRoot)).filter(({ vendorId, productId }) =>
      allowed.some(
        ({ vendor, product }) => vendor === vendorId && (product === undefined || product === productId),
      ),
    );

  const openPort = async (request: OpenRequest): Promise<RequestAnswer> => {
    const found = (await mine()).find(({ name }) => name === request.port);
    if (found === undefined)
      return refusal('serial.gone', `${request.port} is not plugged in, or not one that the manifest names`);
    if ([...open.values()].some(({ name }) => name === found.name))
      return refusal('serial.busy', `${found.name} is open already`);
    if (open.size >= STREAMS_MAX) return refusal('serial.too-many', `${STREAMS_MAX} ports are open already`);
    const node = path.join(devRoot, found.name);
    await promisify(execFile)('stty', ['-F', node, ...sttyWords(request)], { timeout: STTY_LIMIT_MS });
    const stream = ++last;
    const tty = openTty(node);
    open.set(stream, { name: found.name, tty });
    tty.on('data', (bytes: Buffer) => {
      for (let at = 0; at < bytes.length; at += CHUNK_MAX)
        send({ t: 'serial-data', stream, base64: bytes.toString('base64', at, at + CHUNK_MAX) });
    });
    tty.on('error', (cause) => {
      send({ t: 'serial-closed', stream, why: errorText(cause) });
      open.delete(stream);
      tty.destroy();
    });
    tty.on('close', () => {
      if (open.delete(stream)) send({ t: 'serial-closed', stream, why: 'the device left' });
    });
    tty.on('end', () => tty.destroy());
    return { ok: true, value: stream };
  };

  return {
    hold(isHeld) {
      for (const { tty } of open.values()) isHeld ? tty.pause() : tty.resume();
    },
    async answer(request) {
      switch (request.op) {
        case 'serial.list':
          return { ok: true, value: (await mine()).map(toShown) };
        case 'serial.open':
          return openPort(request).catch((cause: unknown) =>
            refusal('serial.failed', `open ${request.port}: ${errorText(cause)}`),
          );
        case 'serial.write': {
          const target = open.get(request.stream);
          if (target === undefined) return refusal('serial.gone', 'the stream is closed');
          const written = Promise.withResolvers<RequestAnswer>();
          target.tty.write(Buffer.from(request.base64, 'base64'), (cause) =>
            written.resolve(cause ? refusal('serial.failed', errorText(cause)) : { ok: true, value: null }),
          );
          return written.promise;
        }
        case 'serial.close':
          open.get(request.stream)?.tty.destroy();
          return { ok: true, value: null };
      }
    },
    closeAll() {
      for (const { tty } of open.values()) tty.destroy();
      open.clear();
    },
  };
}

function openTty(node: string): ReadStream {
  const fd = openSync(node, constants.O_RDWR | constants.O_NOCTTY | constants.O_NONBLOCK);
  try {
    return new ReadStream(fd);
  } catch (cause) {
    closeSync(fd);
    throw cause;
  }
}

/** Raw bytes, nothing echoed, no modem lines waited for. */
function sttyWords({ baudRate, dataBits, parity, stopBits }: OpenRequest): readonly string[] {
  const framing = [`cs${dataBits}`, stopBits === 2 ? 'cstopb' : '-cstopb'];
  const check = parity === 'none' ? ['-parenb'] : ['parenb', parity === 'odd' ? 'parodd' : '-parodd'];
  return [
    String(baudRate),
    'raw',
    '-echo',
    'clocal',
    '-crtscts',
    'min',
    '1',
    'time',
    '0',
    ...framing,
    ...check,
  ];
}

function toShown({ name, port, productId, vendorId }: UsbSerialPort) {
  return { name, subject: `usb/${port}`, vendorId, productId };
}

function refusal(code: string, reason: string): RequestAnswer {
  return { ok: false, code, reason };
}
