import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import test from 'node:test';
import { parsePolicy } from '../../src/policy/parse-policy.ts';
import { parseRule } from '../../src/policy/parse-rule.ts';
import { problemText } from '../../src/policy/policy-problem.ts';
import { printRule } from '../../src/policy/print-rule.ts';
import { drill } from '../drill/policy-mutate.drill.ts';
import { seededRandom } from '../support/seeded-random.ts';
import { tempDir } from '../support/temp-dir.ts';
import { corpusLines } from './corpus.ts';
import { randomRule } from './random-rule.ts';
import { missing, peerPrints, peerPrintsFile } from './usbguard-peer.ts';

const noPeer = missing('usbguard-rule-parser') ?? false;
const printed = (line: string) => {
  const verdict = parseRule(line);
  if (!verdict.ok) return null;
  return verdict.rule === null ? '' : printRule(verdict.rule);
};

test('every rule of the good corpus parses, and its printed form parses to the same rule [U6]', () => {
  const lines = corpusLines('good');
  assert.ok(lines.length >= 300, `only ${lines.length} rules`);
  for (const { place, line } of lines) {
    const verdict = parseRule(line);
    assert.ok(verdict.ok, `${place}: ${line}: ${verdict.ok || JSON.stringify(verdict.fault)}`);
    if (verdict.rule === null) continue;
    assert.deepEqual(parseRule(printRule(verdict.rule)), verdict, place);
  }
});

test('every line of the bad corpus is refused with a place inside the line and an expectation [U6]', () => {
  const lines = corpusLines('bad');
  assert.ok(lines.length >= 100, `only ${lines.length} lines`);
  for (const { place, line } of lines) {
    const verdict = parseRule(line);
    assert.ok(!verdict.ok, `${place} is accepted: ${line}`);
    assert.ok(verdict.fault.at >= 0 && verdict.fault.at <= line.length, place);
    assert.notEqual(verdict.fault.expected, '', place);
  }
});

test("USBGuard's own parser prints every good rule in the same words [U6]", { skip: noPeer }, async (t) => {
  const lines = corpusLines('good');
  const file = path.join(await tempDir(t), 'good.rules');
  writeFileSync(file, lines.map(({ line }) => `${line}\n`).join(''), 'latin1');
  const theirs = peerPrintsFile(file);
  assert.equal(theirs.length, lines.length);
  for (const [index, { place, line }] of lines.entries()) assert.equal(printed(line), theirs[index], place);
});

test("USBGuard's own parser refuses every bad line too [U6]", { skip: noPeer }, () => {
  for (const { place, line } of corpusLines('bad')) assert.equal(peerPrints(line), null, place);
});

test('where the two parsers are meant to differ, they do [U6]', { skip: noPeer }, () => {
  for (const { place, line } of corpusLines('differs', 'accepted-here')) {
    assert.notEqual(printed(line), null, place);
    assert.equal(peerPrints(line), null, `${place}: USBGuard accepts it by now: move it to good/`);
  }
  for (const { place, line } of corpusLines('differs', 'refused-here')) {
    assert.equal(printed(line), null, place);
    assert.notEqual(peerPrints(line), null, `${place}: USBGuard refuses it by now: move it to bad/`);
  }
  for (const { place, line } of corpusLines('differs', 'printed-otherwise'))
    assert.equal(printed(line)?.replaceAll('rule-evaluated', 'rule-applied'), peerPrints(line), place);
});

test("20,000 random rules are printed by USBGuard's parser in the same words [U6]", {
  skip: noPeer,
}, async (t) => {
  const random = seededRandom(6);
  const rules = Array.from({ length: 20_000 }, () => printRule(randomRule(random)));
  const file = path.join(await tempDir(t), 'random.rules');
  writeFileSync(file, `${rules.join('\n')}\n`, 'latin1');
  assert.deepEqual(peerPrintsFile(file), rules);
  for (const rule of rules) assert.equal(printed(rule), rule);
});

test('a refusal names line, column in characters, what was expected and what stands there [U6]', () => {
  const text = '# policy\nallow id 1234:5678\n\nallow name "Größe" if maybe\nblock with-interface 03:*:01\n';
  const verdict = parsePolicy(Buffer.from(text));
  assert.ok(!verdict.ok);
  assert.deepEqual(
    verdict.problems.map(({ code, line, column }) => ({ code, line, column })),
    [
      { code: 'policy.condition', line: 4, column: 23 },
      { code: 'policy.value', line: 5, column: 22 },
    ],
  );
  const [first, second] = verdict.problems.map(problemText);
  assert.match(first ?? '', /^4:23: expected a condition: .*localtime.*, found "maybe"$/);
  assert.match(second ?? '', /an asterisk for the protocol too.*found "03:\*:01"$/);
});

test('a file with carriage returns, without a last line end, of only comments is read [U6]', () => {
  const parse = (text: string) => {
    const verdict = parsePolicy(Buffer.from(text));
    return verdict.ok
      ? verdict.policy.rules.map(({ number, line, text: rule }) => [number, line, rule])
      : null;
  };
  assert.deepEqual(parse('allow id 1234:5678\r\n\r\nblock\r\n'), [
    [1, 1, 'allow id 1234:5678'],
    [2, 3, 'block'],
  ]);
  assert.deepEqual(parse('block'), [[1, 1, 'block']]);
  assert.deepEqual(parse('# nothing\n#\n'), []);
  assert.deepEqual(parse(''), []);
});

test('a file beyond the limit is refused before it is read line by line [U6]', () => {
  const verdict = parsePolicy(Buffer.alloc(1_048_577, 'allow\n'));
  assert.ok(!verdict.ok);
  assert.deepEqual(
    verdict.problems.map(({ code }) => code),
    ['policy.too-large'],
  );
});

test('10,000 mutated rules and policies are parsed or refused, and round-trip [Q3]', async (t) => {
  const lines: string[] = [];
  const failed = await drill.run({ n: 10_000, seed: 1, say: (line) => lines.push(line) });
  for (const line of lines) t.diagnostic(line);
  assert.equal(failed, 0, lines.join('\n'));
});
