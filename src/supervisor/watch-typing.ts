// How many reports a keyboard sends, from the kernel's count of its transfers (`urbnum`, readable by everybody): nobody here sees
// which key was pressed. Each report is one transfer; the keyboard's lamps add a few.
import { readFileSync } from 'node:fs';
import path from 'node:path';

export interface TypingWatch {
  stop(): void;
}

interface Count {
  readonly address: number;
  readonly urbs: number;
  readonly atMs: number;
}

export function watchTyping(options: {
  readonly sysfsRoot: string;
  readonly keyboards: () => readonly { readonly port: string; readonly address: number }[];
  readonly uptimeMs: () => number;
  readonly periodMs: number;
  readonly onRate: (port: string, reportsPerSecond: number) => void;
}): TypingWatch {
  let counts = new Map<string, Count>();
  const look = () => {
    const next = new Map<string, Count>();
    for (const { port, address } of options.keyboards()) {
      const urbs = readUrbs(path.join(options.sysfsRoot, 'bus/usb/devices', port));
      if (urbs === null) continue;
      const now = { address, urbs, atMs: options.uptimeMs() };
      const before = counts.get(port);
      next.set(port, now);
      if (before?.address !== address || now.atMs <= before.atMs) continue;
      options.onRate(port, (1_000 * (urbs - before.urbs)) / (now.atMs - before.atMs));
    }
    counts = next;
  };
  const timer = setInterval(look, options.periodMs);
  return { stop: () => clearInterval(timer) };
}

function readUrbs(folder: string): number | null {
  try {
    const text = readFileSync(path.join(folder, 'urbnum'), 'latin1').trim();
    return /^\d{1,15}$/.test(text) ? Number(text) : null;
  } catch {
    // It has left.
    return null;
  }
}
