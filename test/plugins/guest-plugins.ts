// Plugins in a booted guest: files put there through its shell, acts done with the shipped command line.
import type { PluginLogLine, PluginStateName, PluginStatus } from '../../src/contracts/plugin-status.ts';
import type { Guest } from '../support/guest.ts';
import { until } from '../support/until.ts';
import { type SignedPlugin, trustText } from './test-plugins.ts';

/** Of one line to the guest's agent. */
const CHUNK = 400_000;

export interface GuestPlugins {
  /** Exit code and what was printed. */
  install(plugin: SignedPlugin): Promise<{ readonly code: number; readonly text: string }>;
  act(verb: string, name: string): Promise<{ readonly code: number; readonly text: string }>;
  status(name: string): Promise<PluginStatus>;
  logs(name: string): Promise<readonly PluginLogLine[]>;
  inState(name: string, state: PluginStateName, limitMs?: number): Promise<PluginStatus>;
}

export async function putFile(guest: Guest, file: string, content: Uint8Array): Promise<void> {
  const text = Buffer.from(content).toString('base64');
  await guest.shell.must(`: >'${file}'`);
  for (let at = 0; at < text.length; at += CHUNK)
    await guest.shell.must(`printf %s '${text.slice(at, at + CHUNK)}' | base64 -d >>'${file}'`);
}

export async function guestPlugins(guest: Guest): Promise<GuestPlugins> {
  const trust = '/var/lib/autoweave/trust';
  await guest.shell.must(`mkdir -p ${trust}`);
  await putFile(guest, `${trust}/trust.json`, Buffer.from(await trustText()));
  await guest.shell.must(`chown -R autoweave:autoweave ${trust}`);
  const run = async (words: string) => {
    const { code, stderr, stdout } = await guest.shell.run(`autoweave plugin ${words}`, 240_000);
    return { code, text: stdout + stderr };
  };
  const list = async () => {
    const { code, text } = await run('list --json');
    if (code !== 0) throw new Error(text);
    return JSON.parse(text) as readonly PluginStatus[];
  };
  const status = async (name: string) => {
    const found = (await list()).find((plugin) => plugin.name === name);
    if (found === undefined) throw new Error(`${name} is not installed`);
    return found;
  };
  return {
    status,
    async install({ bytes, name, signature, version }) {
      const file = `/tmp/${name}-${version}.awp`;
      await putFile(guest, file, bytes);
      await putFile(guest, `${file}.minisig`, Buffer.from(signature));
      return run(`install ${file}`);
    },
    act: (verb, name) => run(`${verb} ${name}`),
    async logs(name) {
      return JSON.parse((await run(`logs ${name} --json`)).text) as readonly PluginLogLine[];
    },
    async inState(name, state, limitMs = 120_000) {
      return until(
        `${name} is ${state}`,
        async () => {
          const now = await status(name);
          return now.state === state && now;
        },
        limitMs,
      );
    },
  };
}
