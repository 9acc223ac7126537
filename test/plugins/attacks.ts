// What a hostile plugin tries, as bodies of its `start`. Each says `begun` first; one that gets through says so in its log, one that
// was refused says how long the refusal took.
import type { PluginResources } from '../../src/contracts/plugin-manifest.ts';

const MIB = 1024 * 1024;

export interface Attack {
  readonly name: string;
  /** Body of `async start(context)`; `reached(text)` says that it got through, `refused(since)` that a try of that moment did not. */
  readonly body: string;
  readonly resources: PluginResources;
  /** What stops it, as the table shows it. */
  readonly layer: string;
  /** Options of the runner that take that layer away. */
  readonly without: readonly string[];
  /** What stops it before the layer does, but is no boundary: the runner has none of it in either run. */
  readonly hygiene?: readonly string[];
  /** What the daemon tells of it first: the event, and its `what`, `code` or `layer`. */
  readonly told: string;
  /** The layer is in the daemon; the runner has none of it, so that with it the attack is tried under the daemon only. */
  readonly inDaemon?: true;
  /** What the runner must have counted when the attack got through; else the attack says so itself. */
  readonly flood?: { readonly of: 'messages' | 'outputBytes' | 'channelBytes'; readonly above: number };
}

/** Much processor: emulated, an attack needs long enough as it is. */
const small: PluginResources = { memoryMaxBytes: 96 * MIB, cpuMaxPercent: 100, pidsMax: 48 };
const roomy: PluginResources = { memoryMaxBytes: 512 * MIB, cpuMaxPercent: 100, pidsMax: 48 };
/** Above what `small` allows, below what a guest of 1 GiB can give. */
const hogMiB = 200;

export const attacks: readonly Attack[] = [
  {
    name: 'busy loop',
    body: `for (const end = Date.now() + 60_000; Date.now() < end;);`,
    resources: { ...small, cpuMaxPercent: 30 },
    layer: 'cpu.max, then the watchdog',
    without: ['cpu.max'],
    told: 'security.violation unresponsive',
  },
  {
    name: 'heap hog',
    body: `const kept = []; for (let mib = 0; mib < ${hogMiB}; mib++) kept.push(new Array(131_072).fill(mib + 0.5)); reached(kept.length + ' MiB of heap');`,
    resources: small,
    layer: 'memory.max',
    without: ['memory.max'],
    hygiene: ['heap'],
    told: 'plugin.failed plugins.code-failed',
  },
  {
    name: 'ArrayBuffer hog',
    body: `const kept = []; for (let mib = 0; mib < ${hogMiB}; mib++) kept.push(Buffer.alloc(${MIB}, 1)); reached(kept.length + ' MiB of buffers');`,
    resources: small,
    layer: 'memory.max',
    without: ['memory.max'],
    told: 'security.violation memory',
  },
  {
    name: 'SharedArrayBuffer hog',
    body: `const kept = []; for (let mib = 0; mib < ${hogMiB}; mib++) { const a = new Uint8Array(new SharedArrayBuffer(${MIB})); a.fill(1); kept.push(a); } reached(kept.length + ' MiB shared');`,
    resources: small,
    layer: 'memory.max',
    without: ['memory.max'],
    told: 'security.violation memory',
  },
  {
    name: 'WebAssembly hog',
    body: `const memory = new WebAssembly.Memory({ initial: 1, maximum: 65_536 }); memory.grow(${hogMiB} * 16); new Uint8Array(memory.buffer).fill(1); reached(memory.buffer.byteLength / ${MIB} + ' MiB of WebAssembly');`,
    resources: small,
    layer: 'memory.max',
    without: ['memory.max'],
    told: 'security.violation memory',
  },
  {
    name: 'fork bomb',
    body: `const { spawn } = await import('node:child_process'); let pids = 0; for (let n = 0; n < 3; n++) { const since = performance.now(); await new Promise((done) => { const no = () => { refused(since); done(); }; try { const child = spawn(process.execPath, ['-e', 'setTimeout(() => {}, 5000)'], { stdio: 'ignore' }); child.once('error', no); child.once('spawn', () => { pids++; done(); }); } catch { no(); } }); } if (pids > 0) reached(pids + ' processes');`,
    resources: roomy,
    layer: 'seccomp (no second process)',
    without: ['seccomp'],
    told: 'plugin.running',
  },
  {
    name: 'thread bomb',
    // A refusal is timed when those that could start are up: until then they take each other's time, and nobody else's.
    body: `const { Worker } = await import('node:worker_threads'); let up = 0; const start = (no) => new Promise((done) => { const over = () => { no(); done(); }; try { const w = new Worker('setTimeout(() => {}, 20000)', { eval: true }); w.once('online', () => { up++; done(); }); w.once('error', over); } catch { over(); } }); await Promise.all(Array.from({ length: 16 }, () => start(() => {}))); const since = performance.now(); await start(() => refused(since)); if (up >= 16) reached(up + ' threads');`,
    resources: { ...roomy, memoryMaxBytes: 700 * MIB, pidsMax: 20 },
    layer: 'pids.max',
    without: ['pids.max'],
    told: 'plugin.running',
  },
  {
    name: 'descriptor leak',
    body: `const { openSync } = await import('node:fs'); let open = 0; let since = 0; try { for (; open < 2000; open++) { since = performance.now(); openSync('/plugin/plugin.mjs'); } } catch { refused(since); } if (open >= 2000) reached(open + ' descriptors');`,
    resources: roomy,
    layer: 'RLIMIT_NOFILE',
    without: ['nofile'],
    told: 'plugin.running',
  },
  {
    name: '/tmp filler',
    body: `const { appendFileSync } = await import('node:fs'); let mib = 0; let since = 0; try { for (; mib < 64; mib++) { since = performance.now(); appendFileSync('/tmp/fill', Buffer.alloc(${MIB}, 1)); } } catch { refused(since); } if (mib >= 64) reached(mib + ' MiB in /tmp');`,
    resources: roomy,
    layer: 'sized tmpfs',
    without: ['tmp-size'],
    told: 'plugin.running',
  },
  {
    name: 'kill of parent and siblings',
    body: `const { readdirSync, readFileSync } = await import('node:fs'); let killed = 0; let pids = []; try { pids = readdirSync('/proc').map(Number).filter((n) => n > 0); } catch {} for (const pid of pids) { try { if (!readFileSync('/proc/' + pid + '/cmdline', 'latin1').includes('aw-victim')) continue; process.kill(pid, 'SIGKILL'); killed++; } catch {} } const since = performance.now(); try { process.kill(1, 'SIGKILL'); } catch { refused(since); } if (killed > 0) reached(killed + ' strangers killed');`,
    resources: roomy,
    layer: 'pid namespace, seccomp',
    without: ['pid', 'seccomp'],
    told: 'plugin.running',
  },
  {
    name: 'network',
    body: `const { connect } = await import('node:net'); const since = performance.now(); await new Promise((done) => { const no = () => { refused(since); done(); }; try { const s = connect(PORT, '127.0.0.1'); s.on('connect', () => { reached('connected'); done(); }); s.on('error', no); } catch { no(); } });`,
    resources: roomy,
    layer: 'network namespace, seccomp',
    without: ['net', 'seccomp'],
    told: 'plugin.running',
  },
  {
    name: "others' files",
    body: `const { readFileSync } = await import('node:fs'); const seen = []; for (const file of ['SECRET', '/etc/passwd', '/run/autoweave/control.sock']) { const since = performance.now(); try { readFileSync(file); seen.push(file); } catch (e) { if (e.code === 'ENXIO') seen.push(file); else refused(since); } } if (seen.length > 0) reached(seen.join(' '));`,
    resources: roomy,
    layer: 'mount namespace',
    without: ['mount'],
    told: 'plugin.running',
  },
  {
    name: 'log flood',
    body: `for (let n = 0; n < 50_000; n++) context.log.info('x'.repeat(200));`,
    resources: roomy,
    layer: 'log rate',
    without: ['log-rate'],
    told: 'security.violation log',
    inDaemon: true,
    flood: { of: 'messages', above: 20_000 },
  },
  {
    name: 'output flood',
    body: `const { writeSync } = await import('node:fs'); const text = 'x'.repeat(999) + '\\n'; for (let n = 0; n < 4_000;) { try { writeSync(1, text); n++; } catch (e) { if (e.code !== 'EAGAIN') throw e; } }`,
    resources: roomy,
    layer: 'output rate',
    without: ['output-rate'],
    told: 'security.violation log',
    inDaemon: true,
    flood: { of: 'outputBytes', above: 3_000_000 },
  },
  {
    name: 'message flood',
    body: `const { writeSync } = await import('node:fs'); const text = JSON.stringify({ t: 'request', r: 1, request: { op: 'kv.keys' } }); const frame = Buffer.alloc(4 + text.length); frame.writeUInt32BE(text.length); frame.write(text, 4); const many = Buffer.concat(Array(500).fill(frame)); for (let n = 0; n < 60; n++) for (let at = 0; at < many.length;) { try { at += writeSync(3, many, at); } catch (e) { if (e.code !== 'EAGAIN') throw e; } }`,
    resources: roomy,
    layer: 'message rate',
    without: ['message-rate'],
    told: 'security.violation rate',
    inDaemon: true,
    flood: { of: 'messages', above: 20_000 },
  },
  {
    name: 'forged messages',
    body: `const { writeSync } = await import('node:fs'); const text = JSON.stringify({ t: 'installed', name: 'other', admin: true }); const frame = Buffer.alloc(4 + text.length); frame.writeUInt32BE(text.length); frame.write(text, 4); writeSync(3, frame);`,
    resources: roomy,
    layer: 'schema of the messages',
    without: ['schema'],
    told: 'security.violation message',
    inDaemon: true,
  },
  {
    name: 'endless message',
    body: `const { writeSync } = await import('node:fs'); const head = Buffer.alloc(4); head.writeUInt32BE(0x3fffffff); writeSync(3, head); const many = Buffer.alloc(65_536, 120); for (let n = 0; n < 64; n++) for (let at = 0; at < many.length;) { try { at += writeSync(3, many, at); } catch (e) { if (e.code !== 'EAGAIN') throw e; } }`,
    resources: roomy,
    layer: 'size of a message',
    without: ['frame-size'],
    told: 'security.violation message',
    inDaemon: true,
    flood: { of: 'channelBytes', above: 4_000_000 },
  },
  {
    name: 'bottomless data',
    body: `const text = '{"t":"request","r":1,"request":{"op":"emit","type":"begun","traceparent":null,"data":' + '{"d":'.repeat(20_000) + '1' + '}'.repeat(20_000) + '}}'; const { writeSync } = await import('node:fs'); const frame = Buffer.alloc(4 + text.length); frame.writeUInt32BE(text.length); frame.write(text, 4); let at = 0; while (at < frame.length) { try { at += writeSync(3, frame, at); } catch (e) { if (e.code !== 'EAGAIN') throw e; } }`,
    resources: roomy,
    layer: 'depth of data',
    without: ['depth'],
    told: 'plugin.running',
    inDaemon: true,
  },
];

/** The module of an attacker. `places` replaces PORT and SECRET. */
export function attackCode({ body }: Attack, places: Readonly<Record<string, string>>): string {
  const filled = Object.entries(places).reduce((text, [word, value]) => text.replaceAll(word, value), body);
  return `export default {
  async start(context) {
    let slowest = null;
    const reached = (what) => context.log.warn('REACHED ' + what);
    const refused = (since) => { slowest = Math.max(slowest ?? 0, performance.now() - since); };
    await context.emit('begun', {});
    ${filled}
    context.log.info(slowest === null ? 'GAVE UP' : 'GAVE UP, refused within ' + Math.ceil(slowest) + ' ms');
  },
};
`;
}

/** What `attackCode` logs at its end; null: something else. */
export function readRefusal(text: string): { readonly refusedMs: number | null } | null {
  const found = /^GAVE UP(?:, refused within (\d+) ms)?$/.exec(text);
  return found && { refusedMs: found[1] === undefined ? null : Number(found[1]) };
}
