// [U6] A policy of 1,000 rules against a device that only the last one matches, and how long the file takes to parse.
import { evaluatePolicy, type PolicyContext } from '../../src/policy/evaluate-policy.ts';
import { parsePolicy } from '../../src/policy/parse-policy.ts';
import type { PolicyDevice } from '../../src/policy/policy-device.ts';
import { createRuleHistory } from '../../src/policy/rule-history.ts';
import { benchRow } from './bench-row.ts';

const RULES = 1_000;
const ROUNDS = 2_000;

export async function* bench() {
  const lines = Array.from({ length: RULES - 1 }, (_, index) => {
    const serial = `S${String(index).padStart(6, '0')}`;
    return `allow id 0403:6001 serial "${serial}" name "FT232R USB UART" hash "${'A'.repeat(43)}=" with-interface one-of { ff:ff:ff 02:02:01 }`;
  });
  const text = Buffer.from(
    `${lines.join('\n')}\nallow with-interface equals { ff:ff:ff } if !rule-applied(00:01)\n`,
  );
  const device: PolicyDevice = {
    vendorId: '0403',
    productId: '6001',
    serial: 'unknown',
    name: 'FT232R USB UART',
    hash: 'B',
    parentHash: 'C',
    viaPort: '1-1.4',
    connectType: 'hotplug',
    interfaces: [{ class: 255, subclass: 255, protocol: 255 }],
    isHub: false,
  };
  const parseMs = timesOf(50, () => parsePolicy(text));
  const parsed = parsePolicy(text);
  if (!parsed.ok) throw new Error('the policy of the benchmark is refused');
  const history = createRuleHistory();
  let uptimeMs = 0;
  const evaluateMs = timesOf(ROUNDS, () => {
    uptimeMs += 120_000;
    const context: PolicyContext = {
      implicitTarget: 'block',
      uptimeMs,
      secondOfDay: 0,
      random: () => 0.5,
      allowed: [],
      history,
    };
    const { rule } = evaluatePolicy(parsed.policy, device, context);
    if (rule?.number !== RULES) throw new Error(`decided by rule ${rule?.number}`);
  });
  yield benchRow('policy: 1,000 rules evaluated, p50', at(evaluateMs, 0.5), null, 'ms');
  yield benchRow('policy: 1,000 rules evaluated, p99', at(evaluateMs, 0.99), null, 'ms');
  yield benchRow('policy: 1,000 rules parsed, p50', at(parseMs, 0.5), null, 'ms');
}

function timesOf(rounds: number, work: () => void): readonly number[] {
  return Array.from({ length: rounds }, () => {
    const began = performance.now();
    work();
    return performance.now() - began;
  }).sort((a, b) => a - b);
}

function at(sorted: readonly number[], share: number): number {
  return sorted[Math.floor(sorted.length * share)] ?? Number.NaN;
}
