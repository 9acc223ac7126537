// Who the appliance is, and where it keeps things. A section of the configuration (../config.ts).
import { type Static, Type } from 'typebox';
import { closed, OptionalPath, Path } from './config-types.ts';

const Segment = (description: string, fallback: string) =>
  Type.String({ pattern: '^[A-Za-z0-9._-]{1,64}$', default: fallback, description });

export const ApplianceConfig = Type.Object(
  {
    tenant: Segment('First segment of the topic tree.', 'default'),
    site: Segment('Second segment: where the appliance stands.', 'default'),
    name: Segment('Third segment: this appliance; unique within its site.', 'appliance'),
    stateDir: Path(
      'Survives restarts and power cuts: the buffer mark, the archive of events.',
      '/var/lib/autoweave',
    ),
    runDir: Path('tmpfs: the spool, sockets.', '/run/autoweave'),
    bootNotesFile: Path(
      'What the start of the machine found, written by rootfs/.',
      '/run/autoweave-boot/notes',
    ),
    watchdogDevice: OptionalPath('Fed while the bus is watched; left out: no watchdog is fed.'),
  },
  closed,
);
export type ApplianceConfig = Static<typeof ApplianceConfig>;
