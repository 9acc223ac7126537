// What Node says about a failed request -> a stable code, and a text that says what to do about it.
import { errorText } from '../lib/error-text.ts';
import { WebhookError } from './webhook-error.ts';

const remedies: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'nothing listens there; is it running, and is the port right?',
  ENOTFOUND: 'the name is unknown; check the spelling and the name server',
  EAI_AGAIN: 'the name server does not answer; check the network',
  EHOSTUNREACH: 'no route to it; check the network',
  ENETUNREACH: 'no route to it; check the network',
  ETIMEDOUT: 'no answer; a firewall may drop the packets',
  ECONNRESET: 'the receiver closed the connection before it answered',
  CERT_HAS_EXPIRED: "the receiver's certificate has expired; renew it, or check this machine's clock",
  CERT_NOT_YET_VALID: "the receiver's certificate is not valid yet; check this machine's clock",
  DEPTH_ZERO_SELF_SIGNED_CERT: "the receiver's certificate is signed by itself; set caFile to it",
  SELF_SIGNED_CERT_IN_CHAIN: "the receiver's authority is not known here; set caFile to its certificate",
  UNABLE_TO_VERIFY_LEAF_SIGNATURE:
    "the receiver's authority is not known here; set caFile to its certificate",
  UNABLE_TO_GET_ISSUER_CERT: "the receiver's chain is incomplete; let it send its intermediate certificates",
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
    "the receiver's authority is not known here; set caFile to its certificate",
  ERR_TLS_CERT_ALTNAME_INVALID: "the receiver's certificate is for another name than the one in url",
  ERR_SSL_WRONG_VERSION_NUMBER: 'the port does not speak TLS; is it a plain one?',
};

export interface RequestFailure {
  readonly code: string;
  readonly why: string;
}

export function explainRequestError(error: unknown): RequestFailure {
  if (error instanceof WebhookError) return { code: error.code, why: errorText(error) };
  const code = codeOf(error);
  const why = remedies[code] ?? errorText(error);
  return { code: code === '' ? 'unknown' : code, why: code === '' ? why : `${why} (${code})` };
}

function codeOf(error: unknown): string {
  if (!(error instanceof Error) || !('code' in error)) return '';
  // Happy eyeballs: every address failed; the first one stands for all.
  if (error instanceof AggregateError) return codeOf(error.errors[0]);
  return String(error.code);
}
