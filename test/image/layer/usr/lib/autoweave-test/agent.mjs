// Reads {id, script} lines from the virtio port, runs each with /bin/sh, answers {id, code, stdout, stderr}.
import { spawn } from 'node:child_process';
import { createReadStream, openSync, writeSync } from 'node:fs';
import { createInterface } from 'node:readline';

const port = openSync('/dev/virtio-ports/autoweave.test', 'r+');
const console_ = openSync('/dev/console', 'w');

function answer(message) {
  let bytes = Buffer.from(`${JSON.stringify(message)}\n`);
  while (bytes.length > 0) bytes = bytes.subarray(writeSync(port, bytes));
}

function run({ id, script }) {
  const child = spawn('/bin/sh', ['-c', script], { stdio: ['ignore', 'pipe', 'pipe'] });
  const said = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr'])
    child[name].setEncoding('utf8').on('data', (text) => {
      said[name] += text;
    });
  child.on('close', (code) => answer({ id, code: code ?? 128, ...said }));
}

createInterface(createReadStream('', { fd: port, autoClose: false })).on('line', (line) =>
  run(JSON.parse(line)),
);
writeSync(console_, 'test-agent: listening\n');
