// Administration on the appliance itself: the API without a login, on a unix socket that only the runtime's user and group may open.
import { chmod, mkdir, rm } from 'node:fs/promises';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import path from 'node:path';

const REQUEST_TIMEOUT_MS = 120_000;

export interface ControlServer {
  stop(): Promise<void>;
}

export interface ControlOptions {
  readonly socket: string;
  readonly api: (request: IncomingMessage, response: ServerResponse) => Promise<void>;
}

/** @throws the error of the system when the socket cannot be made. */
export async function startControl(options: ControlOptions): Promise<ControlServer> {
  const { socket } = options;
  await mkdir(path.dirname(socket), { recursive: true });
  // Left by a daemon that was killed. Two daemons do not share a run directory.
  await rm(socket, { force: true });
  const server = createServer({ requestTimeout: REQUEST_TIMEOUT_MS }, (request, response) => {
    void options.api(request, response);
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(socket, resolve);
  });
  await chmod(socket, 0o660);
  return {
    async stop() {
      const closed = Promise.withResolvers<void>();
      server.close(() => closed.resolve());
      server.closeAllConnections();
      await closed.promise;
    },
  };
}
