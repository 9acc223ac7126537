// Proves that every program and library of the root finds its libraries there, so that a left-out package is noticed now.
import { readdir } from 'node:fs/promises';
import path from 'node:path';
import { placesOf } from '../build.ts';
import { elfNeeds } from '../elf-needed.ts';
import { ImageError } from '../image-error.ts';
import type { Step } from '../step.ts';

export const libraries: Step = {
  name: '70-libraries',
  place: 'out',
  inputs: () => ['image/steps/70-libraries.ts', 'image/elf-needed.ts'],
  outputs: () => [],
  async run(build) {
    const { root } = placesOf(build);
    const present = new Set<string>();
    const wanted = new Map<string, string>();
    for (const entry of await readdir(root, { recursive: true, withFileTypes: true })) {
      const at = path.relative(root, path.join(entry.parentPath, entry.name));
      if (entry.name.includes('.so')) present.add(entry.name);
      if (!entry.isFile() || at.startsWith('usr/lib/modules/')) continue;
      for (const library of elfNeeds(path.join(root, at))?.libraries ?? []) wanted.set(library, at);
    }
    const missing = [...wanted].filter(([library]) => !present.has(library));
    if (missing.length === 0) return;
    const list = missing.map(([library, by]) => `${library} (for /${by})`).join(', ');
    throw new ImageError(
      'image.library-missing',
      `check the root: no package brings ${list}; take it off "leaveOut" in the base's package list, or leave the program out in unneeded.json`,
    );
  },
};
