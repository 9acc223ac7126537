/** Bytes as they come -> whole lines, ended by CR, LF or both. A line that has no end is dropped beyond 120 characters. */
export async function* toLines(chunks: AsyncIterable<Uint8Array>): AsyncIterable<string> {
  let rest = '';
  for await (const chunk of chunks) {
    // Scales speak ASCII; with 7 data bits and a wrong setting the eighth is a parity bit.
    rest += Buffer.from(chunk.map((byte) => byte & 0x7f)).toString('latin1');
    const lines = rest.split(/[\r\n]+/);
    rest = (lines.pop() ?? '').slice(-120);
    for (const line of lines) if (line !== '') yield line;
  }
}
