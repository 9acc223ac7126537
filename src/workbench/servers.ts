// The private servers that stand for the appliance's Redis and for the central broker: how each is started, and how to tell
// that it answers. Data and probes; start.ts starts them.
import { once } from 'node:events';
import net, { type AddressInfo } from 'node:net';

/** The shipped redis-run with the shipped redis.conf. `dir` outlives the run, the socket does not. */
export function redisCommand(root: string, dir: string, socket: string): readonly [string, ...string[]] {
  return [`${root}/rootfs/usr/lib/autoweave/redis-run`, dir, socket];
}

/** Whether a server at the socket answers PING with PONG (and not that it is still loading). */
export async function redisAnswers(socket: string): Promise<boolean> {
  const connection = net.connect(socket);
  try {
    await once(connection, 'connect');
    connection.write('PING\r\n');
    const [answer] = (await once(connection, 'data')) as [Buffer];
    return answer.toString().startsWith('+PONG');
  } catch {
    // Not there yet.
    return false;
  } finally {
    connection.destroy();
  }
}

/** Everything in memory: the appliance keeps what a broker has not acknowledged, and births are published again. */
export function mosquittoConfig(port: number, asRoot: boolean): string {
  const lines = [
    `listener ${port} 127.0.0.1`,
    'allow_anonymous true',
    'persistence false',
    'log_dest stderr',
    'log_type error',
    'log_type warning',
    'set_tcp_nodelay true',
    // Otherwise it looks for the user `mosquitto`, which need not exist.
    ...(asRoot ? ['user root'] : []),
  ];
  return `${lines.join('\n')}\n`;
}

export async function listens(port: number): Promise<boolean> {
  const socket = net.connect({ port, host: '127.0.0.1' });
  try {
    await once(socket, 'connect');
    return true;
  } catch {
    // Refused: not yet.
    return false;
  } finally {
    socket.destroy();
  }
}

/** The wanted port of 127.0.0.1 if nobody has it, otherwise any free one. */
export async function choosePort(wanted: number): Promise<number> {
  const server = net.createServer();
  try {
    server.listen(wanted, '127.0.0.1');
    await once(server, 'listening');
    return (server.address() as AddressInfo).port;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE' || wanted === 0) throw error;
    return await choosePort(0);
  } finally {
    server.close();
  }
}
