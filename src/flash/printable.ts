/** A label or model as the medium claims it: one line, at most 64 characters, no control characters; '' becomes null. */
export function printable(claimed: string | Uint8Array): string | null {
  const text = typeof claimed === 'string' ? claimed : new TextDecoder('utf-8').decode(claimed);
  const [visible = ''] = text.split('\0', 1);
  const clean = visible
    .replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu, '\ufffd')
    .trim()
    .slice(0, 64);
  return clean === '' ? null : clean;
}
