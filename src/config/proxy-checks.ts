// What the pattern of `status.trustedProxies` cannot say: that an address is one, and that a network is not everybody.
import type { Config } from '../contracts/config.ts';
import { parseAddressRange } from '../lib/parse-address-range.ts';
import type { ConfigProblem } from './config-problem.ts';

export function proxyChecks({ trustedProxies = [] }: Config['status']): ConfigProblem[] {
  return trustedProxies.flatMap((text, index) => {
    if (parseAddressRange(text) !== null) return [];
    const path = `status.trustedProxies.${index}`;
    return [
      {
        code: 'config.not-allowed',
        path,
        message: `${path} is no address or network of a proxy: "${text}"`,
        remedy:
          'Write it as 127.0.0.1, 192.168.1.0/24 or fd00::/64; /0 would let everybody choose his address.',
      },
    ];
  });
}
