// Reads {id, script} or {id, ask} lines from the virtio port, runs each script with /bin/sh, asks the daemon's control socket; answers
// {id, code, stdout, stderr}.
import { spawn } from 'node:child_process';
import { createReadStream, openSync, writeSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { askControl } from './control.mjs';

const port = openSync('/dev/virtio-ports/autoweave.test', 'r+');
const console_ = openSync('/dev/console', 'w');

function answer(message) {
  let bytes = Buffer.from(`${JSON.stringify(message)}\n`);
  while (bytes.length > 0) bytes = bytes.subarray(writeSync(port, bytes));
}

function run({ ask, id, script }) {
  if (ask !== undefined) {
    askControl(ask).then(
      (said) => answer({ id, code: 0, stdout: JSON.stringify(said), stderr: '' }),
      (cause) => answer({ id, code: 1, stdout: '', stderr: String(cause) }),
    );
    return;
  }
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
