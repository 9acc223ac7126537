import { createHash } from 'node:crypto';

/** How a file's contents or a link's target stand in the manifest. */
export function digestOf(content: string | Uint8Array | { readonly target: string }): string {
  return typeof content === 'object' && 'target' in content
    ? `link:${content.target}`
    : createHash('sha256').update(content).digest('hex');
}
