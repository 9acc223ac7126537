// The running appliance, asked over its own page: which of its parts are not well, in its own words.
import type { HealthReport } from '../../contracts/health.ts';
import { errorText } from '../../lib/error-text.ts';
import { attention, type Check, fault, ok, type Seen, unknown } from './finding.ts';

export const checkDaemon: Check = {
  name: 'appliance',
  async look({ config, signal }) {
    const { listen, port } = config.status;
    if (port === 0) return unknown('status.port is 0: where the appliance answers is only known to its log');
    const host = listen === '0.0.0.0' || listen === '::' ? '127.0.0.1' : listen;
    const url = `http://${host.includes(':') ? `[${host}]` : host}:${port}/health`;
    let report: HealthReport;
    try {
      report = (await (await fetch(url, { signal })).json()) as HealthReport;
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
