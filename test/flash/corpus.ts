// Partition tables of test/corpus/flash/tables: sparse hex lines `offset: bytes`, and what must come of them.
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import type { TableInput } from '../../src/flash/partition-table.ts';

const root = path.join(import.meta.dirname, '../corpus/flash/tables');

export interface TableCase {
  readonly name: string;
  readonly input: TableInput;
  /** bad: the problem */
  readonly expect: string | null;
  /** good: names of GPT partitions, the count of others, or `none` */
  readonly partitions: string;
}

export function tableCases(kind: 'good' | 'bad'): readonly TableCase[] {
  return readdirSync(path.join(root, kind))
    .sort()
    .map((file) => {
      const text = readFileSync(path.join(root, kind, file), 'utf8');
      const fact = (name: string) => new RegExp(`^# ${name}: ?(.*)$`, 'm').exec(text)?.[1] ?? null;
      const rows = [...text.matchAll(/^([0-9a-f]+): ([0-9a-f]+)$/gm)].map(([, at = '', hex = '']) => ({
        at: Number.parseInt(at, 16),
        bytes: Buffer.from(hex, 'hex'),
      }));
      const sizeBytes = Number(fact('size'));
      const length = file === 'header-only.hex' ? 1024 : Math.min(sizeBytes, 64 * 1024);
      const head = Buffer.alloc(length);
      for (const { at, bytes } of rows) bytes.copy(head, at);
      return {
        name: path.basename(file, '.hex'),
        input: { head, sizeBytes, blockBytes: Number(fact('block')) },
        expect: fact('expect'),
        partitions: fact('partitions') ?? '',
      };
    });
}
