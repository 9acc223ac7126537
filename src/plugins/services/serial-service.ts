// Serial ports of USB devices for one plugin: the daemon opens the device and hands the bytes on; the plugin sees no node. A port is
// open once, whichever plugin has it, and is closed when the plugin ends, also one that is just being opened.
import { execFile } from 'node:child_process';
import { closeSync, constants, openSync, readlinkSync } from 'node:fs';
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

/**
 * Nodes that are open or about to be, in any plugin. Module state, because the ports are the machine's and every opening of this
 * process must know of every other one.
 */
const inUse = new Set<string>();

type SerialRequest = Extract<PluginRequest, { op: `serial.${string}` }>;
type OpenRequest = Extract<SerialRequest, { op: 'serial.open' }>;

export interface SerialService {
  answer(request: SerialRequest): Promise<RequestAnswer>;
  /** Once, at the end: nothing is opened after it. */
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
  const ending = new AbortController();
  /** One after the other: each is a process of its own, and the next one must see what this one took. */
  let opening: Promise<unknown> = Promise.resolve();
  let last = 0;

  const mine = async () =>
    (await readUsbSerialPorts(sysfsRoot)).filter(({ vendorId, productId }) =>
      allowed.some(
        ({ vendor, product }) => vendor === vendorId && (product === undefined || product === productId),
      ),
    );

  const openPort = async (request: OpenRequest): Promise<RequestAnswer> => {
    ending.signal.throwIfAborted();
    const found = (await mine()).find(({ name }) => name === request.port);
    if (found === undefined)
      return refusal('serial.gone', `${request.port} is not plugged in, or not one that the manifest names`);
    const node = path.join(devRoot, found.name);
    if (inUse.has(node)) {
      const isOwn = [...open.values()].some(({ name }) => name === found.name);
      return refusal('serial.busy', `${found.name} is open already${isOwn ? '' : ' in another plugin'}`);
    }
    if (open.size >= STREAMS_MAX) return refusal('serial.too-many', `${STREAMS_MAX} ports are open already`);
    inUse.add(node);
    let tty: ReadStream;
    try {
      const { signal } = ending;
      await promisify(execFile)('stty', ['-F', node, ...sttyWords(request)], {
        ...{ signal, timeout: STTY_LIMIT_MS },
      });
      signal.throwIfAborted();
      tty = openTty(node);
    } catch (cause) {
      inUse.delete(node);
      throw cause;
    }
    tty.once('close', () => inUse.delete(node));
    const stream = ++last;
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
        case 'serial.open': {
          const opened = opening.then(() => openPort(request));
          opening = opened.catch(() => undefined);
          return opened.catch((cause: unknown) =>
            refusal('serial.failed', `open ${request.port}: ${errorText(cause)}`),
          );
        }
        case 'serial.write': {
          const target = open.get(request.stream);
          if (target === undefined) return refusal('serial.gone', 'the stream is closed');
          const written = Promise.withResolvers<RequestAnswer>();
          target.tty.write(Buffer.from(request.base64, 'base64'), (cause) =>
            written.resolve(cause ? refusal('serial.failed', errorText(cause)) : { ok: true, value: null }),
          );
          return written.promise;
        }
        case 'serial.close': {
          const target = open.get(request.stream);
          if (target === undefined) return { ok: true, value: null };
          // Answered when the port may be opened again.
          const closed = Promise.withResolvers<RequestAnswer>();
          target.tty.once('close', () => closed.resolve({ ok: true, value: null }));
          target.tty.destroy();
          return closed.promise;
        }
      }
    },
    closeAll() {
      ending.abort(new Error('the plugin has ended'));
      for (const { tty } of open.values()) tty.destroy();
      open.clear();
    },
  };
}

/** Emits `close` when nothing of this process has the node open any more. */
function openTty(node: string): ReadStream {
  const fd = openSync(node, constants.O_RDWR | constants.O_NOCTTY | constants.O_NONBLOCK);
  const opened = linkOf(fd);
  try {
    const tty = new ReadStream(fd);
    // libuv opens a terminal again and closes only what it opened itself; the number is looked at, because it may be another file's
    // by now. Left open, the kernel would keep the name of a device that is gone, and the daemon would run out of descriptors.
    tty.once('close', () => {
      const link = linkOf(fd);
      if (link !== null && (link === opened || link === `${opened} (deleted)`)) closeSync(fd);
    });
    return tty;
  } catch (cause) {
    closeSync(fd);
    throw cause;
  }
}

/** null: it is not open. */
function linkOf(fd: number): string | null {
  try {
    return readlinkSync(`/proc/self/fd/${fd}`);
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return null;
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
