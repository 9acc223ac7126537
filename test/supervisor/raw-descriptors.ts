// Vendor, product and interface types -> the descriptors of a device with one configuration.

/** `46d:c31c`, `03:01:01 08:06:50`: one interface per triple. */
export function rawDescriptors(id: string, types: string): Buffer {
  const [vendor = 0, product = 0] = id.split(':').map((part) => Number.parseInt(part, 16));
  const triples = types.split(' ').map((each) => each.split(':').map((part) => Number.parseInt(part, 16)));
  const interfaces = triples.flatMap((triple, index) => [9, 4, index, 0, 0, ...triple, 0]);
  const ids = [vendor & 255, vendor >> 8, product & 255, product >> 8];
  return Buffer.from([
    ...[18, 1, 0, 2, 0, 0, 0, 64, ...ids, 0, 1, 1, 2, 3, 1],
    ...[9, 2, 9 + interfaces.length, 0, triples.length, 1, 0, 0xa0, 50],
    ...interfaces,
  ]);
}
