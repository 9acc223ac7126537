// Plugins in a booted guest: files put there through its shell, acts done through the daemon's control socket.
import type { PluginLogLine, PluginStateName, PluginStatus } from '../../src/contracts/plugin-status.ts';
import type { Guest } from '../support/guest.ts';
import { until } from '../support/until.ts';
import type { ControlAnswer } from './control-client.ts';
import { type SignedPlugin, trustText } from './test-plugins.ts';

/** Of one line to the guest's agent. */
const CHUNK = 400_000;
const LIMIT_MS = 240_000;

export interface GuestPlugins {
  /** Puts bundle and signature into the guest; the bundle's path. */
  put(plugin: SignedPlugin): Promise<string>;
  install(plugin: SignedPlugin): Promise<ControlAnswer>;
  ask(method: string, path: string): Promise<ControlAnswer>;
  status(name: string): Promise<PluginStatus>;
  logs(name: string): Promise<readonly PluginLogLine[]>;
  inState(name: string, state: PluginStateName): Promise<PluginStatus>;
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
  const ask = async (words: string) => {
    const text = await guest.shell.must(`node /usr/lib/autoweave-test/control.mjs ${words}`, LIMIT_MS);
    return JSON.parse(text) as ControlAnswer;
  };
  const put: GuestPlugins['put'] = async ({ bytes, name, signature, version }) => {
    const file = `/tmp/${name}-${version}.awp`;
    await putFile(guest, file, bytes);
    await putFile(guest, `${file}.minisig`, Buffer.from(signature));
    return file;
  };
  const status = async (name: string) =>
    (await ask(`GET /api/v1/plugins/${name}`)).body.plugin as unknown as PluginStatus;
  return {
    put,
    status,
    ask: (method, path) => ask(`${method} ${path}`),
    install: async (plugin) => ask(`POST /api/v1/plugins ${await put(plugin)}`),
    async logs(name) {
      const { body } = await ask(`GET /api/v1/plugins/${name}/logs`);
      return (body as unknown as { readonly lines: readonly PluginLogLine[] }).lines;
    },
    inState: (name, state) =>
      until(
        `${name} is ${state}`,
        async () => {
          const now = await status(name);
          return now.state === state && now;
        },
        LIMIT_MS,
      ),
  };
}
