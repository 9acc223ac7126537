// The commands as data: the help, the dispatch and the suggestions come from here.
import { accountCommand } from './account-command.ts';
import { devicesCommand, eventsCommand, logsCommand, statusCommand } from './appliance-commands.ts';
import { bootSettingsCommand } from './boot-settings-command.ts';
import type { Command } from './command.ts';
import { createCompletionCommand } from './completion-command.ts';
import { configCommand } from './config-command.ts';
import { deviceCommand } from './device-command.ts';
import { doctorCommand } from './doctor-command.ts';
import { flashCommand } from './flash-command.ts';
import { installHostCommand } from './install-host-command.ts';
import { installToDiskCommand } from './install-to-disk-command.ts';
import { keyCommand } from './key-command.ts';
import { auditCommand, diagnosticsCommand, settingsCommand } from './look-commands.ts';
import { claimCodeCommand, factoryResetCommand, identifyCommand, rebootCommand } from './machine-commands.ts';
import { pluginCommand } from './plugin-command.ts';
import { provisionCommand } from './provision-command.ts';
import { setupCommand } from './setup-command.ts';
import { tokenCommand } from './token-command.ts';
import { trustCommand } from './trust-command.ts';
import { usbCommand } from './usb-command.ts';
import { userCommand } from './user-command.ts';
import { versionCommand } from './version-command.ts';

export const commands: readonly Command[] = [
  statusCommand,
  devicesCommand,
  eventsCommand,
  logsCommand,
  settingsCommand,
  auditCommand,
  diagnosticsCommand,
  deviceCommand,
  identifyCommand,
  rebootCommand,
  factoryResetCommand,
  setupCommand,
  userCommand,
  tokenCommand,
  accountCommand,
  claimCodeCommand,
  configCommand,
  doctorCommand,
  flashCommand,
  installToDiskCommand,
  installHostCommand,
  provisionCommand,
  pluginCommand,
  keyCommand,
  trustCommand,
  usbCommand,
  bootSettingsCommand,
  createCompletionCommand(() => [...commands, daemonEntry]),
  versionCommand,
];

/** Started by the supervisor, which the CLI may not import: listed for the help alone. */
export const daemonEntry = {
  name: 'daemon',
  summary: 'Watch the USB bus, store every event and send it on; runs until it is stopped',
  usage: `daemon [--config FILE] [--secrets FILE] [--insecure-plugins]

Runs in the foreground and logs JSON lines to standard output.
--secrets names what "autoweave provision" took out of the configuration; it may be missing.
--insecure-plugins starts plugins also where this computer cannot bound them (no cgroup v2, no user namespaces): for
trying them out. Page, health, log and MQTT state say so.
SIGTERM or SIGINT stops it in order.`,
} as const;
