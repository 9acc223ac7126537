// The running appliance, asked over its own page: which of its parts are not well, in its own words.
import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { request } from 'node:https';
import { text } from 'node:stream/consumers';
import type { Config } from '../../contracts/config.ts';
import type { HealthReport } from '../../contracts/health.ts';
import { errorText } from '../../lib/error-text.ts';
import { readPageCertificate } from '../identity/page-certificate.ts';
import { attention, type Check, fault, ok, type Seen, unknown } from './finding.ts';

export const checkDaemon: Check = {
  name: 'appliance',
  async look({ config, signal }) {
    const { listen, port } = config.status;
    if (port === 0) return unknown('status.port is 0: where the appliance answers is only known to its log');
    const host = listen === '0.0.0.0' || listen === '::' ? '127.0.0.1' : listen;
    const { tls } = config.status;
    const url = `${tls ? 'https' : 'http'}://${host.includes(':') ? `[${host}]` : host}:${port}/health`;
    let report: HealthReport;
    try {
      report = JSON.parse(
        await (tls ? askOverTls(url, config, signal) : askPlain(url, signal)),
      ) as HealthReport;
    } catch (cause) {
      return fault(
        `nothing answers at ${url}: ${errorText(cause)}`,
        'Start the appliance (rc-service autoweave start, systemctl start autoweave).',
      );
    }
    const seen = Object.entries(report.parts ?? {}).flatMap(([name, { state, why }]): Seen[] => {
      const says = `${name}: ${why}`;
      if (state === 'ok') return [];
      if (state === 'unknown') return [unknown(says)];
      return [
        state === 'down'
          ? fault(says, 'See the check of that name, and the log.')
          : attention(says, 'See the check of that name, and the log.'),
      ];
    });
    return seen.length > 0 ? seen : ok(`it runs at ${url}, all parts are well`);
  },
};

async function askPlain(url: string, signal: AbortSignal): Promise<string> {
  return (await fetch(url, { signal })).text();
}

/** Good is the appliance's own certificate and no other one, whatever name it was asked by. */
async function askOverTls(url: string, { appliance }: Config, signal: AbortSignal): Promise<string> {
  const own = await readPageCertificate(appliance.stateDir);
  if (own === null) throw new Error('it has made no certificate yet');
  const asking = request(url, { ca: own.cert, checkServerIdentity: () => undefined, signal, agent: false });
  asking.end();
  const [answer] = (await once(asking, 'response')) as [IncomingMessage];
  return text(answer);
}
