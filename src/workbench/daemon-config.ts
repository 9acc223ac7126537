// What the daemon of `npm start` is told: its servers, its folders, and which bus it watches. Everything else is default.
import type { Config } from '../contracts/config.ts';

export type PartialConfig = { readonly [Section in keyof Config]?: Partial<Config[Section]> };

export interface Simulation {
  readonly sysfsRoot: string;
  readonly monitorCommand: readonly string[];
}

export function daemonConfig(facts: {
  readonly hostname: string;
  readonly stateDir: string;
  readonly runDir: string;
  readonly redisSocket: string;
  readonly brokerPort: number;
  readonly pagePort: number;
  /** null: this computer's bus. */
  readonly simulation: Simulation | null;
}): PartialConfig {
  const { simulation, stateDir, runDir } = facts;
  return {
    appliance: {
      site: 'workbench',
      name: facts.hostname.replace(/[^A-Za-z0-9._-]/g, '-').slice(0, 64) || 'workbench',
      stateDir: `${stateDir}/appliance`,
      runDir,
    },
    usb: {
      spoolFile: spoolFileOf(runDir),
      ...(simulation === null
        ? {}
        : {
            simulated: true,
            sysfsRoot: simulation.sysfsRoot,
            monitorCommand: [...simulation.monitorCommand],
            // libusb sees the real bus, which is not the one that is watched.
            crossCheck: false,
          }),
    },
    buffer: { redisSocket: facts.redisSocket },
    uplink: { url: `mqtt://127.0.0.1:${facts.brokerPort}` },
    // On loopback alone: whoever reads it sits at this computer.
    status: { port: facts.pagePort, public: 'all' },
  };
}

/**
 * No udev rule of ours is installed here, so on a real bus the file is not there, and the page says what that means. The
 * simulated bus stands still while no daemon runs: an empty file is its truth.
 */
export function spoolFileOf(runDir: string): string {
  return `${runDir}/spool`;
}
