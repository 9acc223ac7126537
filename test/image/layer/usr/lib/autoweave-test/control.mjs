// Asks the daemon's control socket for the agent, which runs already: a process for each question takes seconds when emulated.
import { readFileSync } from 'node:fs';
import { request } from 'node:http';

/** `bundle`: a file with its signature beside it. Resolves with {status, body}. */
export async function askControl({ bundle, method, path }) {
  const headers =
    bundle === undefined
      ? {}
      : { 'autoweave-signature': readFileSync(`${bundle}.minisig`).toString('base64') };
  const { promise, reject, resolve } = Promise.withResolvers();
  request({ socketPath: '/run/autoweave/control.sock', method, path, headers }, resolve)
    .on('error', reject)
    .end(bundle === undefined ? undefined : readFileSync(bundle));
  const response = await promise;
  let text = '';
  for await (const chunk of response.setEncoding('utf8')) text += chunk;
  return { status: response.statusCode, body: JSON.parse(text) };
}
