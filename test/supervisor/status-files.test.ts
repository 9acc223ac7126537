import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import path from 'node:path';
import test from 'node:test';
import { loadConfig } from '../../src/config/load-config.ts';
import { statusFiles } from '../../src/supervisor/status-files.ts';
import { recordingLog } from '../support/recording-log.ts';
import { tempDir } from '../support/temp-dir.ts';

async function filesIn(stateDir: string) {
  const appliance = { stateDir, runDir: stateDir };
  const text = JSON.stringify({ appliance, status: { tls: true } });
  const loaded = loadConfig({ file: 'x', text, environment: {} });
  assert.ok(loaded.ok);
  const health: string[] = [];
  const files = await statusFiles(
    loaded.config,
    recordingLog(),
    (part) => (state, why) => health.push(`${part} ${state}: ${why}`),
  );
  return { tls: files.tls, health };
}

test("the page's certificate is kept where it can be, and of this run alone where it cannot [I8] [B6]", async (t) => {
  const dir = await tempDir(t);
  const first = await filesIn(dir);
  assert.deepEqual(first.health, [`page-certificate ok: kept in ${dir}`]);
  assert.deepEqual((await filesIn(dir)).tls, first.tls);
  const { tls, health } = await filesIn(path.join(dir, 'nowhere'));
  assert.ok(new X509Certificate(tls?.cert ?? '').checkHost('localhost'));
  assert.notDeepEqual(tls, first.tls);
  assert.match(
    health[0] ?? '',
    /^page-certificate down: .* of this run alone, .*: cannot write .*page-tls\.pem: .*check space and permissions/,
  );
});
