// Asks the control socket of a daemon, as `autoweave plugin` does.
import { request } from 'node:http';
import type { PluginStatus } from '../../src/contracts/plugin-status.ts';
import type { SignedPlugin } from './test-plugins.ts';

export interface ControlAnswer {
  readonly status: number;
  readonly body: Readonly<Record<string, unknown>> & {
    readonly code?: string;
    readonly reason?: string;
    readonly plugin?: PluginStatus | null;
    readonly plugins?: readonly PluginStatus[];
  };
}

export interface ControlClient {
  ask(method: string, path: string, body?: Buffer, headers?: Record<string, string>): Promise<ControlAnswer>;
  install(plugin: SignedPlugin): Promise<ControlAnswer>;
  status(name: string): Promise<PluginStatus>;
}

export function controlClient(socketPath: string): ControlClient {
  const ask: ControlClient['ask'] = (method, path, body, headers = {}) => {
    const { promise, reject, resolve } = Promise.withResolvers<ControlAnswer>();
    const asking = request({ socketPath, method, path, headers }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('end', () => {
        const text = Buffer.concat(chunks).toString();
        resolve({ status: response.statusCode ?? 0, body: JSON.parse(text) as ControlAnswer['body'] });
      });
    });
    asking.on('error', reject);
    asking.end(body);
    return promise;
  };
  return {
    ask,
    install: ({ bytes, signature }) =>
      ask('POST', '/v1/plugins', bytes, {
        'autoweave-signature': Buffer.from(signature).toString('base64'),
      }),
    async status(name) {
      const { body } = await ask('GET', `/v1/plugins/${name}`);
      return body as unknown as PluginStatus;
    },
  };
}
