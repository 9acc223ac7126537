// Asks the daemon's control socket for the agent, which runs already: a process for each question takes seconds when emulated.
import { readFileSync } from 'node:fs';
import { request } from 'node:http';

/** `bundle`: a file with its signature beside it. Resolves with {status, body}. */
export async function askControl({ bundle, method, path }) {
  const body =
    bundle === undefined
      ? ''
      : JSON.stringify({
          bundle: readFileSync(bundle).toString('base64'),
          signature: readFileSync(`${bundle}.minisig`, 'utf8'),
        });
  const headers =
    body === '' ? {} : { 'Content-Type': 'application/json', 'Content-Length': Buffer.byteLength(body) };
  const { promise, reject, resolve } = Promise.withResolvers();
  request({ socketPath: '/run/autoweave/control.sock', method, path, headers }, resolve)
    .on('error', reject)
    .end(body);
  const response = await promise;
  let text = '';
  for await (const chunk of response.setEncoding('utf8')) text += chunk;
  return { status: response.statusCode, body: JSON.parse(text) };
}
