// The list that the first step left for the others.
import { readFile } from 'node:fs/promises';
import type { ResolvedPackage } from './base/base-provider.ts';
import { type Build, placesOf } from './build.ts';

export async function readResolved(build: Build): Promise<readonly ResolvedPackage[]> {
  // Written by the build itself and covered by the step's stamp.
  return JSON.parse(await readFile(placesOf(build).packages, 'utf8')) as readonly ResolvedPackage[];
}
