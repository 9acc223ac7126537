// Rules between the fields of `uplink.webhooks`, which the schema has passed one by one.
import type { UplinkConfig } from '../contracts/config/uplink-config.ts';
import type { WebhookConfig } from '../contracts/config/webhook-config.ts';
import type { ConfigProblem } from './config-problem.ts';

type Rule = (webhook: WebhookConfig, at: string, earlier: readonly WebhookConfig[]) => ConfigProblem | null;

const rules: readonly Rule[] = [
  ({ name }, at, earlier) =>
    earlier.every((other) => other.name !== name)
      ? null
      : {
          code: 'config.conflict',
          path: `${at}.name`,
          message: `${at}.name is "${name}", like that of an earlier webhook`,
          remedy: 'Give each webhook its own name: its place in the buffer hangs on it.',
        },
  ({ url }, at) =>
    URL.canParse(url) && new URL(url).hostname !== ''
      ? null
      : {
          code: 'config.not-allowed',
          path: `${at}.url`,
          message: `${at}.url is no complete address`,
          remedy: 'Write it as https://host/path.',
        },
  // Not repeated: it is a secret in a place that is shown.
  ({ url }, at) =>
    !URL.canParse(url) || (new URL(url).username === '' && new URL(url).password === '')
      ? null
      : {
          code: 'config.not-allowed',
          path: `${at}.url`,
          message: `${at}.url holds a user or password`,
          remedy: 'Take them out: the signature is what a receiver checks.',
        },
  ({ caFile, url }, at) =>
    caFile === undefined || url.startsWith('https:')
      ? null
      : {
          code: 'config.conflict',
          path: `${at}.caFile`,
          message: `${at}.caFile is set, but its address is not encrypted`,
          remedy: `Use https://, or leave ${at}.caFile out.`,
        },
  ({ backoffMaxMs, backoffMinMs }, at) =>
    backoffMinMs <= backoffMaxMs
      ? null
      : {
          code: 'config.conflict',
          path: `${at}.backoffMinMs`,
          message: `${at}.backoffMinMs (${backoffMinMs}) is above ${at}.backoffMaxMs (${backoffMaxMs})`,
          remedy: 'Lower the first or raise the second.',
        },
];

export function webhookChecks({ webhooks }: UplinkConfig): ConfigProblem[] {
  return webhooks.flatMap((webhook, index) =>
    rules
      .map((rule) => rule(webhook, `uplink.webhooks.${index}`, webhooks.slice(0, index)))
      .filter((problem) => problem !== null),
  );
}
