// What came over a connection -> the answer of an appliance, or an error that says who answers there and what to do.
import type { IncomingMessage } from 'node:http';
import { text } from 'node:stream/consumers';
import { AppError } from '../../lib/app-error.ts';
import { plainLine } from '../plain-text.ts';

export type Answer = Readonly<Record<string, unknown>>;

/** The head of an answer, and what to say when its body does not come to its end. */
export interface Asking {
  readonly answer: IncomingMessage;
  readonly broken: (cause: unknown) => AppError;
}

export async function parsed(asking: Asking): Promise<Answer> {
  const said = await textOf(asking);
  return said === '' ? {} : parseAnswer(said);
}

/** One document of an appliance; of whoever else answers there is said that it is none. */
export function parseAnswer(said: string): Answer {
  let value: unknown;
  try {
    value = JSON.parse(said);
  } catch (cause) {
    throw noAppliance('its answer is no JSON', cause);
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw noAppliance('its answer is no JSON object');
  return value as Answer;
}

/** An end of the reading ends the connection. */
export async function* chunksOf({ answer, broken }: Asking): AsyncGenerator<Buffer> {
  try {
    yield* answer as AsyncIterable<Buffer>;
  } catch (cause) {
    throw broken(cause);
  }
}

function textOf({ answer, broken }: Asking): Promise<string> {
  return text(answer).catch((cause: unknown) => {
    throw broken(cause);
  });
}

export async function refuse(asking: Asking): Promise<Asking> {
  const { statusCode = 0, headers } = asking.answer;
  if (statusCode < 300) return asking;
  if (statusCode < 400) {
    asking.answer.destroy();
    throw new AppError(
      'cli.moved',
      `the appliance answers at ${headers.location ?? 'another address'}: use that`,
    );
  }
  const body = await textOf(asking);
  const isProblem = String(headers['content-type']).startsWith('application/problem+json');
  const { code, detail, remedy } = isProblem ? parseAnswer(body) : {};
  if (typeof code === 'string')
    throw new AppError(plainLine(code), plainLine(`${String(detail)}. ${String(remedy)}`));
  throw noAppliance(`HTTP ${statusCode}`);
}

export function noAppliance(why: string, cause?: unknown): AppError {
  return new AppError('cli.no-appliance', `what answers is no appliance (${why}): check --url`, { cause });
}
