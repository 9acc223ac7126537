// What one field alone cannot tell: rules between the fields of a configuration that is valid field by field.
import type { Config } from '../contracts/config.ts';
import type { ConfigProblem } from './config-problem.ts';
import { networkChecks } from './network-checks.ts';
import { proxyChecks } from './proxy-checks.ts';
import { nodeAt } from './schema-node.ts';
import { shownValue } from './shown-value.ts';
import { webhookChecks } from './webhook-checks.ts';

type Rule = (config: Config) => ConfigProblem | null;

const missing = (path: string, message: string): ConfigProblem => ({
  code: 'config.missing',
  path,
  message,
  remedy: `Set ${path} too.`,
});

const shownUrl = (url: string | null) => shownValue(url, nodeAt(['uplink', 'url']) ?? {});

const rules: readonly Rule[] = [
  ({ uplink }) =>
    uplink.url === null || (URL.canParse(uplink.url) && new URL(uplink.url).hostname !== '')
      ? null
      : {
          code: 'config.not-allowed',
          path: 'uplink.url',
          message: `uplink.url is no complete address: ${shownUrl(uplink.url)}`,
          remedy: 'Write it as mqtts://host:8883.',
        },
  ({ uplink }) =>
    uplink.certFile !== undefined && uplink.keyFile === undefined
      ? missing('uplink.keyFile', 'uplink.certFile is set, but its private key is not')
      : null,
  ({ uplink }) =>
    uplink.keyFile !== undefined && uplink.certFile === undefined
      ? missing('uplink.certFile', 'uplink.keyFile is set, but its certificate is not')
      : null,
  ({ uplink }) =>
    uplink.password !== undefined && uplink.username === undefined && uplink.protocol !== '5'
      ? missing(
          'uplink.username',
          'uplink.password is set without uplink.username, which MQTT 3.1.1 does not allow',
        )
      : null,
  ({ uplink }) => {
    const plain = uplink.url !== null && /^(mqtt|ws):/.test(uplink.url);
    const file = (['caFile', 'certFile', 'keyFile'] as const).find((key) => uplink[key] !== undefined);
    if (!plain || file === undefined) return null;
    return {
      code: 'config.conflict',
      path: `uplink.${file}`,
      message: `uplink.${file} is set, but ${shownUrl(uplink.url)} is not encrypted`,
      remedy: `Use mqtts:// or wss://, or leave uplink.${file} out.`,
    };
  },
  ({ uplink: { backoffMinMs, backoffMaxMs } }) =>
    backoffMinMs <= backoffMaxMs
      ? null
      : {
          code: 'config.conflict',
          path: 'uplink.backoffMinMs',
          message: `uplink.backoffMinMs (${backoffMinMs}) is above uplink.backoffMaxMs (${backoffMaxMs})`,
          remedy: 'Lower the first or raise the second.',
        },
  ({ buffer: { batchEvents, memoryQueueEvents } }) =>
    batchEvents <= memoryQueueEvents
      ? null
      : {
          code: 'config.conflict',
          path: 'buffer.batchEvents',
          message: `buffer.batchEvents (${batchEvents}) is above buffer.memoryQueueEvents (${memoryQueueEvents}): no batch could fill`,
          remedy: 'Lower the first or raise the second.',
        },
];

export function crossChecks(config: Config): ConfigProblem[] {
  const problems = rules.map((rule) => rule(config)).filter((problem) => problem !== null);
  return [
    ...problems,
    ...networkChecks(config),
    ...webhookChecks(config.uplink),
    ...proxyChecks(config.status),
  ];
}
