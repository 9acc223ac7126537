// Asks the control socket of a daemon, as `autoweave plugin` does.
import { request } from 'node:http';
import type { PluginStatus } from '../../src/contracts/plugin-status.ts';
import type { SignedPlugin } from './test-plugins.ts';

export interface ControlAnswer {
  readonly status: number;
  readonly body: Readonly<Record<string, unknown>> & {
    readonly code?: string;
    readonly detail?: string;
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
    install({ bytes, signature }) {
      const bundle = Buffer.from(bytes).toString('base64');
      const body = Buffer.from(JSON.stringify({ bundle, signature: Buffer.from(signature).toString() }));
      return ask('POST', '/api/v1/plugins', body, {
        'Content-Type': 'application/json',
        'Content-Length': String(body.length),
      });
    },
    async status(name) {
      const { body } = await ask('GET', `/api/v1/plugins/${name}`);
      return body.plugin as unknown as PluginStatus;
    },
  };
}
