// Disks -> the list that a person chooses from, with what would be lost.
import { bytesText } from '../flash/bytes-text.ts';
import type { DiskContent, ListedPartition } from '../flash/disk.ts';
import type { FoundDisk } from '../flash/read-disks.ts';
import { plainLine } from './plain-text.ts';

export function diskListText(disks: readonly FoundDisk[]): string {
  return disks.map((disk, index) => `${String(index + 1).padStart(3)}  ${diskText(disk)}\n`).join('');
}

export function diskText(disk: FoundDisk): string {
  const { path, sizeBytes, bus, model, serial, removable, uses, content } = disk;
  const facts = [
    path,
    bytesText(sizeBytes),
    bus,
    ...(removable ? ['removable'] : []),
    model ?? 'unnamed',
    ...(serial === null ? [] : [`serial ${serial}`]),
  ];
  const mounted = uses.flatMap((use) =>
    use.kind === 'mounted' ? [`${use.node} is mounted at ${use.where}`] : [],
  );
  return [facts.join('  '), ...contentLines(content), ...mounted].map(plainLine).join('\n       ');
}

/** For --json: plain facts. */
export function diskFacts({ gpt: _, ...facts }: FoundDisk): object {
  return facts;
}

function contentLines({ table, filesystem, label, partitions }: DiskContent): readonly string[] {
  switch (table) {
    case 'unreadable':
      return ['what is on it cannot be read'];
    case 'damaged':
      return ['a damaged partition table'];
    case 'none':
      return [
        filesystem === null ? 'no partition table' : `${filesystem}${label === null ? '' : ` "${label}"`}`,
      ];
    case 'gpt':
    case 'mbr':
      return partitions.length === 0 ? ['an empty partition table'] : partitions.map(partitionText);
  }
}

function partitionText({ number, sizeBytes, name, filesystem, label }: ListedPartition): string {
  const names = [name, label].filter((each) => each !== null).map((each) => `"${each}"`);
  return [`partition ${number}`, bytesText(sizeBytes), filesystem ?? 'unknown content', ...names].join('  ');
}
