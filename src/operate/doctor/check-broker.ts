// The way to the broker, one step after the other: name, port, certificate. No MQTT session is opened: the daemon's would be taken over.
import { lookup } from 'node:dns/promises';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { connect as connectTcp } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { errorText } from '../../lib/error-text.ts';
import { attention, type Check, fault, ok, type Patient, type Seen, unknown } from './finding.ts';

const ports: Readonly<Record<string, number>> = { 'mqtt:': 1883, 'mqtts:': 8883, 'ws:': 80, 'wss:': 443 };

export const checkBroker: Check = {
  name: 'broker',
  async look(patient) {
    const { url, proxy } = patient.config.uplink;
    if (url === null)
      return attention('no broker is configured: events stay in the buffer', 'Set uplink.url.');
    if (proxy !== undefined)
      return unknown('the broker is reached through a proxy: ask the health of the running appliance');
    const { protocol, hostname, port } = new URL(url);
    const host = hostname.replace(/^\[|\]$/g, '');
    return reach(patient, {
      host,
      port: Number(port) || (ports[protocol] ?? 1883),
      secure: protocol === 'mqtts:' || protocol === 'wss:',
    });
  },
};

interface Place {
  readonly host: string;
  readonly port: number;
  readonly secure: boolean;
}

async function reach({ config, signal }: Patient, { host, port, secure }: Place): Promise<Seen> {
  try {
    await lookup(host);
  } catch (cause) {
    return fault(
      `the name ${host} is not found: ${errorText(cause)}`,
      'Correct uplink.url, or give the network a name server.',
    );
  }
  const place = `${host}:${port}`;
  const caFile = config.uplink.caFile;
  try {
    const ca = caFile === undefined ? {} : { ca: await readFile(caFile) };
    const socket = secure
      ? connectTls({ host, port, ...(/^[\d.]+$|:/.test(host) ? {} : { servername: host }), ...ca })
      : connectTcp({ host, port });
    try {
      await once(socket, secure ? 'secureConnect' : 'connect', { signal });
    } finally {
      socket.destroy();
    }
    return ok(`${place} answers${secure ? ', and its certificate is good' : ''}`);
  } catch (cause) {
    const certificate = /CERT|SELF_SIGNED|ALTNAME|UNABLE_TO/i.test(
      (cause as NodeJS.ErrnoException).code ?? '',
    );
    return certificate
      ? fault(
          `the certificate of ${place} is not accepted: ${errorText(cause)}`,
          'Name the authority that signed it in uplink.caFile; look at the clock too.',
        )
      : fault(
          `${place} does not answer: ${errorText(cause)}`,
          'Look at the cable, the firewall and the broker.',
        );
  }
}
