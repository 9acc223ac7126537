// The page's certificate damaged, or nowhere to keep it: the shipped file goes on watching, shows the page, and says so.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import type { IncomingMessage } from 'node:http';
import { request } from 'node:https';
import path from 'node:path';
import { text } from 'node:stream/consumers';
import test from 'node:test';
import type { HealthReport } from '../../src/contracts/health.ts';
import { spawnDaemon, writeDaemonConfig } from '../support/daemon.ts';
import { startRedis } from '../support/redis.ts';
import { tempDir } from '../support/temp-dir.ts';
import { until } from '../support/until.ts';
import { usbBus } from '../support/usb-bus.ts';

async function healthOf(url: string): Promise<HealthReport> {
  // Whoever asks cannot know a certificate that was never kept.
  const asked = request(`${url}/health`, { rejectUnauthorized: false, agent: false });
  asked.end();
  const [answer] = (await once(asked, 'response')) as [IncomingMessage];
  return JSON.parse(await text(answer)) as HealthReport;
}

const faults: Readonly<Record<string, (file: string) => RegExp>> = {
  'is damaged'(file) {
    writeFileSync(file, 'a torn page');
    return /key and certificate do not fit; remove it/;
  },
  'can neither be read nor written'(file) {
    mkdirSync(file);
    return /cannot read .*page-tls\.pem: EISDIR.*; check what is there/;
  },
};

for (const [name, make] of Object.entries(faults))
  test(`the appliance watches and shows its page when the page's certificate ${name} [I8] [B6]`, async (t) => {
    const dir = await tempDir(t);
    const redis = await startRedis(t);
    const bus = usbBus(t, dir);
    const config = await writeDaemonConfig(dir, {
      redisSocket: redis.socket,
      config: {
        usb: { sysfsRoot: bus.sysfsRoot, monitorCommand: bus.monitorCommand },
        status: { tls: true },
      },
    });
    const file = path.join(dir, 'state/page-tls.pem');
    const why = make(file);
    const { child, exited, log } = spawnDaemon(config);
    t.after(async () => {
      child.kill('SIGKILL');
      await exited;
    });
    const url = await until('the page answers', () => {
      assert.equal(child.exitCode, null, 'the daemon runs');
      return log.map((line) => line.url).find((each) => typeof each === 'string');
    });
    assert.match(String(url), /^https:/);
    const { parts } = await healthOf(String(url));
    assert.equal(parts['page-certificate']?.state, 'down');
    assert.match(parts['page-certificate']?.why ?? '', why);
    assert.equal(parts['usb-monitor']?.state, 'ok');
    if (name === 'is damaged')
      assert.equal(readFileSync(file, 'utf8'), 'a torn page', 'removing it is a decision');
    child.kill('SIGTERM');
    assert.equal(await exited, 0);
  });
