// The highest security counter that was ever installed here, by the name of the plugin: a file apart from the plugins' records, so
// that it outlives a removal and a damaged record. A factory reset alone clears it.
import { readFile } from 'node:fs/promises';
import { type Static, Type } from 'typebox';
import { PluginName } from '../../contracts/plugin-manifest.ts';
import { errorText } from '../../lib/error-text.ts';
import { schemaCheck } from '../../lib/schema-check.ts';
import { PluginError } from '../plugin-error.ts';
import { writeFileDurably } from './write-file-durably.ts';

const Floors = Type.Object(
  {
    v: Type.Literal(1),
    floors: Type.Record(PluginName, Type.Integer({ minimum: 0 }), { additionalProperties: false }),
  },
  { additionalProperties: false },
);
type Floors = Static<typeof Floors>;
const checkFloors = schemaCheck(Floors);

/** Both throw PluginError `plugins.registry-damaged` when the file is there and cannot be read: nothing is known then, and nothing is low enough. */
export interface SecurityFloors {
  /** 0: none was installed, or none above 0. */
  of(name: string): Promise<number>;
  /** On disk when it resolves; never lowers. @throws also the error of the file system. */
  raise(name: string, counter: number): Promise<void>;
}

export function openSecurityFloors(file: string): SecurityFloors {
  let lane: Promise<unknown> = Promise.resolve();
  return {
    of: async (name) => (await readFloors(file))[name] ?? 0,
    raise(name, counter) {
      const raised = lane.then(async () => {
        const floors = await readFloors(file);
        if (counter <= (floors[name] ?? 0)) return;
        const next: Floors = { v: 1, floors: { ...floors, [name]: counter } };
        await writeFileDurably(file, `${JSON.stringify(next, null, 2)}\n`);
      });
      lane = raised.catch(() => undefined);
      return raised;
    },
  };
}

async function readFloors(file: string): Promise<Floors['floors']> {
  try {
    const verdict = checkFloors(JSON.parse(await readFile(file, 'utf8')));
    if (verdict.ok) return verdict.value.floors;
    const { path = '', message = '' } = verdict.problems[0] ?? {};
    throw new Error(`${path} ${message}`);
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return {};
    throw new PluginError(
      'plugins.registry-damaged',
      `read the lowest security counters that may be installed (${file}): ${errorText(cause)}; bring it back from a backup: without it, versions with known holes could be installed again`,
      { cause },
    );
  }
}
