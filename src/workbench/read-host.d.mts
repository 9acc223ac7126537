// Types of the part of read-host.mjs that is tested on its own.
import type { Host } from './plan-steps.mjs';

export function modulesMatchLock(root: string, host: Pick<Host, 'libc'>): boolean;
export function linkedModules(root: string): string | null;
