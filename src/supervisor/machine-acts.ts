// What changes more than the daemon itself: a device's rule, the appliance's name and broker, the computer.
import { constants } from 'node:fs';
import { access, open, rm } from 'node:fs/promises';
import path from 'node:path';
import { provision } from '../cli/provision.ts';
import { loadConfig } from '../config/load-config.ts';
import { parseConfigText } from '../config/parse-config-text.ts';
import type { ActVerdict, ApplianceControl, SetUp } from '../contracts/appliance-control.ts';
import type { Config } from '../contracts/config.ts';
import { AppError } from '../lib/app-error.ts';
import { errorText } from '../lib/error-text.ts';
import { provisionedNames, textOrNull } from '../operate/import-provision.ts';
import { replaceFile } from '../operate/replace-file.ts';

/** A pipe that root's helper of the image reads; beside the boot notes. */
const REQUESTS = 'machine-requests';

export function createMachineActs(options: {
  readonly config: Config;
}): Pick<ApplianceControl, 'setUp' | 'askMachine'> {
  const { appliance, uplink } = options.config;
  const askMachine: ApplianceControl['askMachine'] = async (what) => {
    const pipe = path.join(path.dirname(appliance.bootNotesFile), REQUESTS);
    try {
      // The mark that root's helper sets lies on the same partition.
      if (what === 'factory-reset') await access(appliance.stateDir, constants.W_OK);
    } catch (cause) {
      const reason = `nothing was forgotten: ${appliance.stateDir} cannot be written (${errorText(cause)}); start again, which repairs it, then ask again`;
      return { ok: false, code: 'system.unavailable', reason };
    }
    try {
      // Fails at once where nobody reads, in place of waiting for somebody.
      await using handle = await open(pipe, constants.O_WRONLY | constants.O_NONBLOCK);
      await handle.write(`${what}\n`);
    } catch (cause) {
      const reason = `this computer takes no requests to ${what} (${errorText(cause)}): it is not run by the image, so its owner does it`;
      return { ok: false, code: 'system.unavailable', reason };
    }
    return {
      ok: true,
      detail:
        what === 'reboot' ? 'the computer starts again' : 'the computer forgets everything and starts again',
    };
  };
  return {
    askMachine,
    async setUp(asked): Promise<ActVerdict> {
      if (uplink.url !== null && asked.replace !== true)
        return {
          ok: false,
          code: 'system.provisioned',
          reason: 'this appliance has a broker already; say replace to give it another',
        };
      const file = path.join(appliance.runDir, 'set-up.json');
      try {
        // Through the same gate as a file on the CONFIG partition: checked whole, secrets sealed apart.
        const stored = await readStored(path.join(appliance.stateDir, provisionedNames.config));
        await replaceFile(file, JSON.stringify(toConfig(asked, stored)), { mode: 0o600 });
        const done = await provision({ from: file, to: appliance.stateDir, forget: false });
        if (!done.ok) {
          const reason = done.problems.map(({ path: at, message }) => `${at} ${message}`).join('; ');
          return { ok: false, code: 'system.setup-refused', reason };
        }
      } catch (cause) {
        if (!(cause instanceof AppError)) throw cause;
        return { ok: false, code: cause.code, reason: cause.message };
      } finally {
        await rm(file, { force: true });
      }
      const restarted = await askMachine('reboot');
      const when = restarted.ok ? restarted.detail : 'it holds from the next start of the appliance on';
      return { ok: true, detail: `the settings are kept; ${when}` };
    },
  };
}

type Sections = Readonly<Record<string, Readonly<Record<string, unknown>> | undefined>>;

/** Settings that no start would use are nothing to build on. */
async function readStored(file: string): Promise<Sections> {
  const text = await textOrNull(file);
  if (text === null || !loadConfig({ file, text, environment: {} }).ok) return {};
  const parsed = parseConfigText(text, file);
  return parsed.ok ? (parsed.value as Sections) : {};
}

/** What nobody asks for here stays as it is; of the connection to another broker nothing does. */
function toConfig({ tenant, site, name, broker, network, timeServers }: SetUp, stored: Sections) {
  const { url, user, password } = broker;
  const {
    username: _account,
    password: _sealed,
    caFile,
    certFile,
    keyFile,
    clientId,
    ...uplink
  } = stored.uplink ?? {};
  const isSame = stored.uplink?.url === url;
  return {
    ...stored,
    appliance: { ...stored.appliance, tenant, site, name },
    uplink: {
      ...uplink,
      ...(isSame ? { caFile, certFile, keyFile, clientId } : {}),
      url,
      ...(user === undefined ? {} : { username: user }),
      ...(password === undefined ? {} : { password }),
    },
    ...(network === undefined ? {} : { network }),
    ...(timeServers === undefined ? {} : { time: { ...stored.time, servers: timeServers } }),
  };
}
