// The table of commands -> what `autoweave help` prints.
import { commands, daemonEntry } from './commands.ts';

const listed = [
  daemonEntry,
  ...commands,
  { name: 'help', summary: 'Explain a command', usage: 'help [COMMAND]' },
];

const width = Math.max(...listed.map(({ name }) => name.length)) + 2;

/** Every name that may stand first. */
export const names: readonly string[] = listed.map(({ name }) => name);

export function helpText(): string {
  const lines = listed.map(({ name, summary }) => `  ${name.padEnd(width)}${summary}`);
  return `Usage: autoweave COMMAND [OPTIONS]

${lines.join('\n')}

autoweave help COMMAND explains one of them.
The appliance of a command is the one of this machine, unless --socket, AUTOWEAVE_SOCKET or --url names another.
Every setting is also a variable: usb.debounceMs is AUTOWEAVE_USB_DEBOUNCE_MS.
`;
}

export function usageText(name: string): string | null {
  const entry = listed.find((candidate) => candidate.name === name);
  return entry === undefined ? null : `Usage: autoweave ${entry.usage}\n`;
}
