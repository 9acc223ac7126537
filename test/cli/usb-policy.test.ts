import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { PassThrough } from 'node:stream';
import { text } from 'node:stream/consumers';
import test from 'node:test';
import { createUsbCommand } from '../../src/cli/usb-command.ts';
import { parsePolicy } from '../../src/policy/parse-policy.ts';
import { mockHost, writeSysfs } from '../policy/mock-host.ts';
import { tempDir } from '../support/temp-dir.ts';
import type { Cleanup } from '../support/with-cleanup.ts';

interface Bench {
  readonly dir: string;
  readonly sysfsRoot: string;
  readonly procRoot: string;
  /** Writes a file into the folder and returns its path. */
  file(name: string, content: string): string;
  run(args: readonly string[], input?: string): Promise<{ code: number; out: string; err: string }>;
}

async function bench(t: Cleanup): Promise<Bench> {
  const dir = await tempDir(t);
  const [sysfsRoot, procRoot] = [path.join(dir, 'sys'), path.join(dir, 'proc')];
  writeSysfs(sysfsRoot, mockHost());
  mkdirSync(path.join(procRoot, 'self'), { recursive: true });
  mkdirSync(path.join(procRoot, 'sys/kernel/random'), { recursive: true });
  writeFileSync(path.join(procRoot, 'self/mountinfo'), '');
  writeFileSync(path.join(procRoot, 'sys/kernel/random/boot_id'), 'boot-1\n');
  return {
    dir,
    sysfsRoot,
    procRoot,
    file(name, content) {
      writeFileSync(path.join(dir, name), content);
      return path.join(dir, name);
    },
    async run(args, input = '') {
      const [stdout, stderr] = [new PassThrough(), new PassThrough()];
      const command = createUsbCommand({ sysfsRoot, procRoot }, async () => Buffer.from(input));
      const code = await command.run({
        args: ['policy', ...args],
        environment: {},
        print: (line) => void stdout.write(line),
        complain: (line) => void stderr.write(line),
        ask: null,
        isTerminal: false,
        output: { isTerminal: false, ended: new AbortController().signal },
      });
      stdout.end();
      stderr.end();
      return { code, out: await text(stdout), err: await text(stderr) };
    },
  };
}

const allowAll = 'allow\n';

test('check says each wrong line with a mark under the place, and ends with 1 [U6]', async (t) => {
  const { run, file } = await bench(t);
  const good = await run(['check', file('good.conf', '# ours\nallow id 046d:c31c\nblock\n')]);
  assert.deepEqual([good.code, good.err], [0, '']);
  assert.match(good.out, /2 rules/);
  const bad = await run(['check', '-'], 'allow id 046d:c31c\nallow name "Größe" if maybe\npermit\n');
  assert.equal(bad.code, 1);
  assert.equal(bad.out, '');
  assert.match(bad.err, /standard input:2:23: expected a condition/);
  assert.match(bad.err, /^ {4}allow name "Größe" if maybe\n {26}\^$/m);
  assert.match(bad.err, /standard input:3:1: expected allow, block, reject, found "permit"/);
  const json = JSON.parse((await run(['check', '-', '--json'], 'permit\n')).out) as {
    problems: { column: number }[];
  };
  assert.equal(json.problems[0]?.column, 1);
  assert.equal((await run(['check'])).code, 2);
  const missing = await run(['check', '/nonexistent/rules.conf']);
  assert.equal(missing.code, 1);
  assert.match(missing.err, /ENOENT/);
});

test('check warns of rules that are never reached, said twice, or cannot match [U6]', async (t) => {
  const { run } = await bench(t);
  const { code, err } = await run(
    ['check', '-'],
    'allow id 046D:C31C\nallow hash "abc"\nallow id 1:1\n'.replace('1:1', '1111:1111') +
      'allow id 1111:1111\nblock\nallow id 2222:2222\n',
  );
  assert.equal(code, 0);
  for (const line of [
    /:1: .*upper-case/,
    /:2: .*44 characters/,
    /:4: .*same as line 3/,
    /:6: .*never reached: line 5/,
  ])
    assert.match(err, line);
});

test('a hostile line of a rule file cannot write into the terminal [U6]', async (t) => {
  const { run } = await bench(t);
  const { err } = await run(['check', '-'], 'allow name \x1b[31m\x07x\x9b2J\n');
  // biome-ignore lint/suspicious/noControlCharactersInRegex: that is what is looked for.
  assert.doesNotMatch(err, /[\x07\x1b\x9b]/);
});

test('explain gives the verdict of what is plugged in and why the rules before did not apply [U6]', async (t) => {
  const { run, file } = await bench(t);
  const rules = file(
    'rules.conf',
    'allow id 1d6b:*\nallow id 0627:0001 name "no"\nallow via-port "1-1"\nreject if false\n',
  );
  const { code, out, err } = await run(['explain', rules, '--port', '1-1']);
  assert.equal(code, 0);
  assert.match(out, /^1-1 {2}0627:0001 "QEMU USB Keyboard" {2}03:01:01$/m);
  assert.match(out, /line 1 does not apply: id/);
  assert.match(out, /line 2 does not apply: name/);
  assert.match(out, /allow {2}line 3: allow via-port "1-1"/);
  assert.match(err, /1-16: no rule can judge this device \(policy\.descriptor-truncated\)/);
  const hub = await run(['explain', rules, '--port', '1-6']);
  assert.match(hub.out, /block {2}no rule applies; the implicit target/);
  assert.match(hub.out, /stays allowed: hub/);
  const json = JSON.parse((await run(['explain', rules, '--port', '1-2', '--json'])).out) as object;
  assert.deepEqual(json, {
    port: '1-2',
    target: 'block',
    floor: null,
    line: null,
    rule: null,
    passedOver: [
      { line: 1, because: 'id' },
      { line: 2, because: 'name' },
      { line: 3, because: 'via-port' },
      { line: 4, because: 'if' },
    ],
  });
  assert.equal((await run(['explain', rules, '--port', '9-9'])).code, 1);
});

test('what generate prints allows exactly what is plugged in [U6]', async (t) => {
  const { run, file } = await bench(t);
  const generated = await run(['generate', '-t', 'reject']);
  assert.equal(generated.code, 0);
  const asJson = await run(['generate', '-t', 'reject', '--json']);
  assert.deepEqual(
    (JSON.parse(asJson.out) as { rules: string[] }).rules,
    generated.out.trimEnd().split('\n'),
  );
  assert.ok(parsePolicy(Buffer.from(generated.out)).ok);
  const rules = file('rules.conf', generated.out);
  const lines = (await run(['explain', rules, '--json'])).out.trimEnd().split('\n');
  for (const line of lines) assert.equal((JSON.parse(line) as { target: string }).target, 'allow', line);
});

test('diff names rules that came, went and moved, and devices whose verdict changes [U6]', async (t) => {
  const { run, file } = await bench(t);
  const old = file('old.conf', 'allow id 0627:0001\nallow id 0403:6001\nallow id 0409:55aa\n');
  const young = file('new.conf', 'allow id 0409:55aa\nallow id 0627:0001\nblock id 0403:6001\n');
  const { code, out } = await run(['diff', old, young]);
  assert.equal(code, 0);
  assert.match(out, /^- .*old\.conf:2 {2}allow id 0403:6001$/m);
  assert.match(out, /^\+ .*new\.conf:3 {2}block id 0403:6001$/m);
  assert.match(out, /^~ .*new\.conf:2 {2}allow id 0627:0001$/m);
  assert.match(out, /^1-5 {2}0403:6001 .*: allow -> block$/m);
  assert.match((await run(['diff', old, old])).out, /The same rules/);
});

test('test compares the verdicts of written devices with the expected ones [U6]', async (t) => {
  const { run, file } = await bench(t);
  const rules = file(
    'rules.conf',
    'allow id 046d:c31c via-port "1-2"\nreject with-interface one-of { 08:*:* }\n',
  );
  const cases = file(
    'cases.conf',
    'allow id 046d:c31c via-port "1-2" with-interface 03:01:01\nblock id 046d:c31c via-port "1-3"\nreject id 0781:5567 with-interface 08:06:50\n',
  );
  const passed = await run(['test', rules, cases]);
  assert.deepEqual([passed.code, passed.err], [0, '']);
  assert.match(passed.out, /3 of 3 devices/);
  const failed = await run([
    'test',
    rules,
    file('wrong.conf', 'allow id 0781:5567 with-interface 08:06:50\nallow id *:*\n'),
  ]);
  assert.equal(failed.code, 1);
  assert.match(failed.err, /wrong\.conf:1: reject by line 2, allow expected/);
  assert.match(failed.err, /wrong\.conf:2: .*whole id/);
});

test('apply puts a policy on probation, confirm puts it in force, return takes it back [U10]', async (t) => {
  const { run, file, dir } = await bench(t);
  const to = path.join(dir, 'active.conf');
  writeFileSync(to, 'allow id 1111:1111\n');
  const rules = file('rules.conf', allowAll);
  const applied = await run(['apply', rules, '--to', to, '--minutes', '5']);
  assert.equal(applied.code, 0, applied.err);
  assert.match(applied.out, /on probation for 5 minutes/);
  assert.equal(readFileSync(to, 'utf8'), 'allow id 1111:1111\n', 'the old rules stay until it is confirmed');
  assert.equal((await run(['apply', '--return', '--to', to])).code, 0);
  assert.ok(!existsSync(`${to}.trial`));
  assert.equal((await run(['apply', '--confirm', '--to', to])).code, 1, 'there is nothing to confirm');
  assert.equal((await run(['apply', rules, '--to', to])).code, 0);
  assert.equal((await run(['apply', '--confirm', '--to', to])).code, 0);
  assert.equal(readFileSync(to, 'utf8'), allowAll);
  assert.ok(!existsSync(`${to}.trial`));
});

test('a probation of before the last start cannot be confirmed [U10]', async (t) => {
  const { run, file, dir, procRoot } = await bench(t);
  const to = path.join(dir, 'active.conf');
  assert.equal((await run(['apply', file('rules.conf', allowAll), '--to', to])).code, 0);
  writeFileSync(path.join(procRoot, 'sys/kernel/random/boot_id'), 'boot-2\n');
  const { code, err } = await run(['apply', '--confirm', '--to', to]);
  assert.equal(code, 1);
  assert.match(err, /started again before it was confirmed/);
  assert.ok(!existsSync(to));
});

test('apply refuses bad rules, and rules that would cut off the last keyboard, unless forced [U10]', async (t) => {
  const { run, file, dir } = await bench(t);
  const to = path.join(dir, 'active.conf');
  assert.equal((await run(['apply', file('bad.conf', 'permit\n'), '--to', to])).code, 1);
  for (const [name, rules] of [
    ['empty.conf', ''],
    ['block.conf', 'block\n'],
    ['keyboardless.conf', 'allow with-interface one-of { 08:*:* 09:*:* }\n'],
  ] as const) {
    const { code, err } = await run(['apply', file(name, rules), '--to', to]);
    assert.equal(code, 1, name);
    assert.match(err, /1-1 .*: the last keyboard would be cut off/);
    assert.match(err, /Nothing was changed/);
    assert.ok(!existsSync(`${to}.trial`), name);
  }
  assert.equal((await run(['apply', file('empty.conf', ''), '--to', to, '--force'])).code, 0);
  assert.ok(existsSync(`${to}.trial`));
  const one = file('one.conf', 'allow via-port "1-1"\n');
  assert.equal((await run(['apply', one, '--to', to])).code, 0, 'one keyboard remains');
});

test('apply refuses rules that would cut off the medium the system runs from [U10]', async (t) => {
  const { run, file, dir, sysfsRoot, procRoot } = await bench(t);
  const disk = path.join(sysfsRoot, 'devices/pci0000:00/0000:00:05.0/usb2/2-4/2-4:1.0/host0/block/sda/sda2');
  const mapped = path.join(sysfsRoot, 'devices/virtual/block/dm-0');
  mkdirSync(disk, { recursive: true });
  mkdirSync(path.join(mapped, 'slaves'), { recursive: true });
  mkdirSync(path.join(sysfsRoot, 'dev/block'), { recursive: true });
  symlinkSync(disk, path.join(mapped, 'slaves/sda2'));
  symlinkSync(mapped, path.join(sysfsRoot, 'dev/block/253:0'));
  writeFileSync(
    path.join(procRoot, 'self/mountinfo'),
    '20 1 0:18 / / rw - overlay overlay rw\n21 1 253:0 / /lower ro - squashfs /dev/dm-0 ro\n22 1 0:5 / /proc rw - proc proc rw\n',
  );
  const rules = file('rules.conf', 'allow with-interface one-of { 03:01:01 }\n');
  const to = path.join(dir, 'active.conf');
  const { code, err } = await run(['apply', rules, '--to', to]);
  assert.equal(code, 1);
  assert.match(err, /2-4 .*: the boot medium would be cut off/);
  const explained = await run(['explain', rules, '--port', '2-4']);
  assert.match(explained.out, /stays allowed: boot-medium/);
});
