// Redis's wire format (RESP2), as far as it takes to see where one command or reply ends and what a command says.

const CRLF = '\r\n';

/** Where the value that begins at `from` ends; -1 when the rest of it has not come yet. */
export function respEnd(bytes: Buffer, from: number): number {
  const lineEnd = bytes.indexOf(CRLF, from, 'latin1');
  if (lineEnd === -1) return -1;
  const after = lineEnd + 2;
  const count = () => Number(bytes.toString('latin1', from + 1, lineEnd));
  switch (bytes[from]) {
    case 0x24 /* $ */:
      {
        const end = count() < 0 ? after : after + count() + 2;
        return end <= bytes.length ? end : -1;
      }
    case 0x2a /* * */:
      {
        let end = after;
        for (let left = count(); left > 0 && end !== -1; left -= 1) end = respEnd(bytes, end);
        return end;
      }
    default:
      return after;
  }
}

/** The words of one whole command; those of other values are left out. */
export function respWords(value: Buffer): readonly Buffer[] {
  return respItems(value).map((item) => item.subarray(item.indexOf(CRLF) + 2, -2));
}

/** The items of one whole array, each as it was sent; none for another value. */
export function respItems(value: Buffer): readonly Buffer[] {
  if (value[0] !== 0x2a) return [];
  const items: Buffer[] = [];
  for (let from = value.indexOf(CRLF) + 2; from < value.length; ) {
    const end = respEnd(value, from);
    items.push(value.subarray(from, end));
    from = end;
  }
  return items;
}
