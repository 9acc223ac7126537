// What Node says about a failed connection -> an MqttError that says what to do about it.
import { errorText } from '../lib/error-text.ts';
import type { BrokerAddress, ProxyAddress } from './broker-address.ts';
import { MqttError } from './mqtt-error.ts';

const networkRemedies: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'nothing listens there; is it running, and is the port right?',
  ENOTFOUND: 'the name is unknown; check the spelling and the name server',
  EAI_AGAIN: 'the name server does not answer; check the network',
  EHOSTUNREACH: 'no route to it; check the network',
  ENETUNREACH: 'no route to it; check the network',
  ETIMEDOUT: 'no answer; a firewall may drop the packets',
  ECONNRESET: 'the other side closed the connection while it was set up',
};

const tlsRemedies: Readonly<Record<string, string>> = {
  CERT_HAS_EXPIRED: "the broker's certificate has expired; renew it, or check this machine's clock",
  CERT_NOT_YET_VALID: "the broker's certificate is not valid yet; check this machine's clock",
  DEPTH_ZERO_SELF_SIGNED_CERT: "the broker's certificate is signed by itself; set uplink.caFile to it",
  SELF_SIGNED_CERT_IN_CHAIN: "the broker's authority is not known here; set uplink.caFile to its certificate",
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: "the broker's authority is not the one in uplink.caFile",
  UNABLE_TO_GET_ISSUER_CERT: "the broker's chain is incomplete; let it send its intermediate certificates",
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
    "the broker's authority is not known here; set uplink.caFile to its certificate",
  ERR_TLS_CERT_ALTNAME_INVALID: "the broker's certificate is for another name than the one in uplink.url",
  ERR_SSL_WRONG_VERSION_NUMBER: 'the port does not speak TLS; is it the plain one?',
};

export function explainDialError(
  error: unknown,
  broker: BrokerAddress,
  proxy: ProxyAddress | null,
): MqttError {
  if (error instanceof MqttError) return error;
  const code = codeOf(error);
  const via = proxy === null ? '' : ` through the proxy ${proxy.shown}`;
  const action = `cannot connect to ${broker.shown}${via}`;
  const tls = tlsRemedies[code] ?? alertRemedy(code);
  if (tls !== undefined) return new MqttError('mqtt.tls-refused', `${action}: ${tls} (${code})`);
  if (code === 'ABORT_ERR') return new MqttError('mqtt.timeout', `${action}: no answer in time`);
  const remedy = networkRemedies[code] ?? errorText(error);
  return new MqttError('mqtt.unreachable', `${action}: ${remedy}${code === '' ? '' : ` (${code})`}`);
}

/** TLS alerts are the broker's verdict on us; in TLS 1.3 they come after our side of the handshake is done. */
export function alertRemedy(code: string): string | undefined {
  if (!/^ERR_SSL_.*ALERT/.test(code)) return undefined;
  return /CERTIFICATE|UNKNOWN_CA|ACCESS_DENIED|BAD_CERT/.test(code)
    ? 'the broker does not accept our certificate; check uplink.certFile and uplink.keyFile'
    : 'the broker refused the TLS handshake';
}

export function codeOf(error: unknown): string {
  if (!(error instanceof Error) || !('code' in error)) return '';
  // Happy eyeballs: every address failed; the first one stands for all.
  if (error instanceof AggregateError) return codeOf(error.errors[0]);
  return String(error.code);
}
