// The real page with answers that are written down (scenes.ts), on a free port.
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { makePage } from '../../../src/status/make-page.ts';
import { pageAssets } from '../../../src/status/page-assets.ts';
import type { Cleanup } from '../../support/with-cleanup.ts';
import { type SceneName, scenes } from './scenes.ts';

/** null: the connection breaks. */
export type SceneReply = { readonly status?: number; readonly body: object } | null;

export interface SceneServer {
  readonly url: string;
  show(name: SceneName): void;
  /** From now on what is asked below /api/v1/ with this name is answered so, whatever the scene; the answer may take its time. */
  answer(name: string, reply: (request: IncomingMessage) => SceneReply | Promise<SceneReply>): void;
  /** Into the streams that are open, the oldest first. */
  send(events: readonly { readonly id: string }[]): void;
  /** false: requests are taken and never answered, and the stream ends. */
  setAnswering(answering: boolean): void;
}

export async function startSceneServer(t: Cleanup, first: SceneName): Promise<SceneServer> {
  let scene = scenes[first];
  let answering = true;
  const streams = new Set<ServerResponse>();
  const page = makePage(pageAssets(), {
    appliance: { tenant: 'acme', site: 'plant-4', name: 'edge-17' },
    version: '0.1.0',
    simulated: false,
  });
  const stamp = () => ({
    source: 'urn:autoweave:acme:plant-4:edge-17',
    simulated: false,
    time: new Date().toISOString(),
    clock: 'synced',
    lastEventId: '29920463-48299',
  });
  const replies = new Map<string, Parameters<SceneServer['answer']>[1]>();
  const server = createServer((request, response) => {
    const [path = ''] = (request.url ?? '').split('?', 1);
    if (path === '/') {
      response.writeHead(200, { ...page.headers, 'Content-Type': page.contentType }).end(page.body);
      return;
    }
    if (!answering) return;
    const name = path.replace('/api/v1/', '');
    if (name === 'events') {
      response.writeHead(200, { 'Content-Type': 'text/event-stream' });
      const events = (scene.$events ?? []) as readonly { readonly id: string }[];
      for (const event of events.toReversed()) response.write(toLines(event));
      response.flushHeaders();
      streams.add(response);
      return;
    }
    const headers = { 'Content-Type': 'application/json' };
    const reply = replies.get(name);
    if (reply !== undefined) {
      void Promise.resolve(reply(request)).then((given) => {
        if (given === null) response.destroy();
        else
          response.writeHead(given.status ?? 200, headers).end(JSON.stringify({ ...stamp(), ...given.body }));
      });
      return;
    }
    const answer = scene[name];
    if (answer === undefined)
      response
        .writeHead(404, headers)
        .end(JSON.stringify({ code: 'status.not-found', detail: 'There is nothing there.' }));
    else response.writeHead(200, headers).end(JSON.stringify({ ...stamp(), ...answer }));
  });
  const end = () => {
    for (const stream of streams) stream.destroy();
    streams.clear();
  };
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => {
    end();
    server.closeAllConnections();
    server.close();
  });
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    show(name) {
      scene = scenes[name];
      end();
    },
    answer: (name, reply) => void replies.set(name, reply),
    send(events) {
      for (const stream of streams) for (const event of events) stream.write(toLines(event));
    },
    setAnswering(value) {
      answering = value;
      if (!value) end();
    },
  };
}

function toLines(event: { readonly id: string }): string {
  return `id: ${event.id}\ndata: ${JSON.stringify(event)}\n\n`;
}
