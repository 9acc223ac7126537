// Buffers on page boundaries, which O_DIRECT asks for. Node promises no alignment for its own; a WebAssembly memory begins on a page.

interface WasmMemory {
  readonly buffer: ArrayBuffer;
}
/** Neither the language's nor Node's types know it. */
declare const WebAssembly: {
  readonly Memory: new (size: { readonly initial: number; readonly maximum: number }) => WasmMemory;
};

const pageBytes = 64 * 1024;

/** @param lengthBytes of each buffer; a multiple of the largest block */
export function alignedBuffers(count: number, lengthBytes: number): readonly Buffer[] {
  const pages = Math.ceil((count * lengthBytes) / pageBytes);
  const { buffer } = new WebAssembly.Memory({ initial: pages, maximum: pages });
  return Array.from({ length: count }, (_, index) => Buffer.from(buffer, index * lengthBytes, lengthBytes));
}
