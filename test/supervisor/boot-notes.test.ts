import assert from 'node:assert/strict';
import { appendFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import test from 'node:test';
import { parseBootNotes } from '../../src/supervisor/parse-boot-notes.ts';
import { reportBootNotes } from '../../src/supervisor/report-boot-notes.ts';
import { recordingLog } from '../support/recording-log.ts';
import { tempDir } from '../support/temp-dir.ts';
import { until } from '../support/until.ts';

const notes = `4.21\tdata\trepaired\t/dev/vda5 was damaged\t
5.5\tconfig\tconfig.unknown-key\tappliance.nmae is not a known key\tappliance.nmae
`;

test('lines of the start become notes; what is no note, or has no end yet, is none [I3]', () => {
  assert.deepEqual(parseBootNotes(notes), [
    { atUptimeMs: 4_210, part: 'data', code: 'repaired', text: '/dev/vda5 was damaged', field: null },
    {
      atUptimeMs: 5_500,
      part: 'config',
      code: 'config.unknown-key',
      text: 'appliance.nmae is not a known key',
      field: 'appliance.nmae',
    },
  ]);
  assert.deepEqual(parseBootNotes('\nx\ty\tz\tt\n1\tdata\n-1\ta\tb\tc\n7.1\tdata\tfull\tno newline'), []);
});

test('each note is one event of its boot, also when the daemon starts again and notes are added [I3, I5]', async (t) => {
  const file = path.join(await tempDir(t), 'notes');
  await writeFile(file, notes);
  const state: Record<string, string> = {};
  const said: string[] = [];
  const health: string[] = [];
  const start = (bootId: string) => {
    const reporter = reportBootNotes({
      file,
      bootId,
      periodMs: 10,
      stored: Promise.resolve({ ...state }),
      say(type, _subject, data, patch) {
        Object.assign(state, patch);
        said.push(`${type} ${'field' in data ? data.field : 'code' in data ? data.code : ''}`);
      },
      report: (how, why) => void health.push(`${how} ${why}`),
      log: recordingLog(),
    });
    t.after(() => reporter.stop());
    return reporter;
  };
  const first = start('boot-1');
  await until('two events', () => said.length === 2);
  assert.deepEqual(said, ['system.boot-note repaired', 'system.configuration-refused appliance.nmae']);
  assert.equal(health.at(-1), 'degraded config: appliance.nmae is not a known key');
  first.stop();

  start('boot-1');
  await appendFile(file, '9.1\tnetwork\tnot-set\teth0 asks DHCP instead\t\n');
  await until('the third event', () => said.length >= 3);
  assert.deepEqual(said.slice(2), ['system.boot-note not-set']);
  start('boot-2');
  await until('those of another boot', () => said.length >= 6);
  assert.equal(said.length, 6);
});

test('notes that cannot be read are no good news: the part is unknown [S7]', async (t) => {
  const health: string[] = [];
  const reporter = reportBootNotes({
    // A folder in the place of the file stops root as well.
    file: await tempDir(t),
    bootId: 'boot-1',
    periodMs: 10,
    stored: Promise.resolve({}),
    say: () => assert.fail('an event without a note'),
    report: (how, why) => void health.push(`${how} ${why}`),
    log: recordingLog(),
  });
  t.after(() => reporter.stop());
  await until('a report', () => health.length > 1);
  assert.match(health.at(-1) ?? '', /^unknown what the start of the machine found cannot be read: EISDIR/);
});
