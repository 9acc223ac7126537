import { AppError } from '../lib/app-error.ts';

/** Why no request was sent. */
export type WebhookErrorCode =
  /** http:// to an address outside the private networks. */
  | 'uplink.plain-http-refused'
  /** The file of authorities cannot be read or is no such thing. */
  | 'uplink.bad-ca-file'
  | 'uplink.no-answer';

export class WebhookError extends AppError<WebhookErrorCode> {}
