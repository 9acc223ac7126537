// A recorded USB device: its sysfs attributes and the monitor's records of one plug and one unplug, as a JSON file.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { type Static, Type } from 'typebox';
import { errorText } from '../lib/error-text.ts';
import { schemaCheck } from '../lib/schema-check.ts';
import { WorkbenchError } from './workbench-error.ts';

const closed = { additionalProperties: false } as const;
/** What becomes a file name in the replayed sysfs tree must not lead out of it. */
const attributeName = '^[A-Za-z0-9_-]+(/[A-Za-z0-9_-]+)?$';
const Attributes = Type.Record(Type.String({ pattern: attributeName }), Type.String(), closed);

export const Capture = Type.Object(
  {
    name: Type.String({ minLength: 1 }),
    about: Type.String({ description: 'What it is and where it was recorded.' }),
    port: Type.String({ pattern: '^[0-9]{1,3}-[0-9]{1,3}(\\.[0-9]{1,3}){0,6}$' }),
    devpath: Type.String({ pattern: '^/devices(/[A-Za-z0-9][A-Za-z0-9:._-]*)+$' }),
    attributes: Attributes,
    descriptors: Type.String({
      pattern: '^[A-Za-z0-9+/]*=*$',
      description: 'Base64 of the descriptors file.',
    }),
    interfaces: Type.Record(
      Type.String({ pattern: '^[0-9]{1,3}-[0-9.]{1,30}:[0-9]{1,3}\\.[0-9]{1,3}$' }),
      Type.Object(
        {
          attributes: Attributes,
          driver: Type.Union([Type.String({ pattern: '^[A-Za-z0-9_.-]*[A-Za-z0-9_-]$' }), Type.Null()], {
            description: 'Bound to it, or null.',
          }),
        },
        closed,
      ),
      closed,
    ),
    attach: Type.String({ description: 'Verbatim output of udevadm monitor --kernel --udev --property.' }),
    detach: Type.String({ description: 'The same for the unplug.' }),
  },
  closed,
);
export type Capture = Static<typeof Capture>;

const checkCapture = schemaCheck(Capture);

/** @throws WorkbenchError `workbench.bad-capture` */
export function parseCapture(text: string, file: string): Capture {
  const refuse = (why: string) =>
    new WorkbenchError(
      'workbench.bad-capture',
      `cannot replay the recording ${file}: ${why}; record it anew or remove it`,
    );
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw refuse(errorText(cause));
  }
  const verdict = checkCapture(value);
  if (!verdict.ok) {
    throw refuse(verdict.problems.map((problem) => `${problem.path} ${problem.message}`).join(', '));
  }
  if (!verdict.value.devpath.endsWith(`/${verdict.value.port}`)) {
    throw refuse(`its devpath ${verdict.value.devpath} does not end with its port ${verdict.value.port}`);
  }
  return verdict.value;
}

/** All recordings of a folder, in the order of their file names. @throws WorkbenchError `workbench.bad-capture` */
export function readCaptures(dir: string): readonly Capture[] {
  const names = existsSync(dir) ? readdirSync(dir).filter((name) => name.endsWith('.json')) : [];
  if (names.length === 0) {
    throw new WorkbenchError(
      'workbench.bad-capture',
      `cannot simulate a bus: ${dir} holds no recording (*.json)`,
    );
  }
  return names.sort().map((name) => {
    const file = path.join(dir, name);
    return parseCapture(readFileSync(file, 'utf8'), file);
  });
}
