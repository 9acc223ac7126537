// One request to the appliance -> its answer, or the problem it names (RFC 9457) with the remedy.
import { t } from '../strings.ts';

export interface Problem {
  /** 0: no answer came. */
  readonly status: number;
  readonly code: string;
  readonly detail: string;
  readonly remedy: string | null;
  readonly retryAfterSeconds: number | null;
}

/** What the page itself refuses, without asking. */
export function ownRefusal(code: string, detail: string): { readonly ok: false; readonly problem: Problem } {
  return { ok: false, problem: { status: 0, code, detail, remedy: null, retryAfterSeconds: null } };
}

export type Answered<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly problem: Problem };

export interface AskOptions {
  readonly method?: 'GET' | 'POST' | 'PUT' | 'DELETE';
  readonly body?: unknown;
  readonly csrf?: string | null;
  readonly timeoutMs?: number;
  /** Somebody has just done what this is asked for: his session goes on. */
  readonly pressed?: boolean;
}

const TIMEOUT_MS = 5_000;

export async function ask<T>(path: string, options: AskOptions = {}): Promise<Answered<T>> {
  const { method = 'GET', body, csrf, timeoutMs = TIMEOUT_MS, pressed = false } = options;
  const headers: Record<string, string> = {};
  if (body !== undefined) headers['Content-Type'] = 'application/json';
  if (csrf) headers['X-CSRF-Token'] = csrf;
  // What the page reads by itself keeps no session alive.
  if (method === 'GET' && !pressed) headers['X-Background'] = '1';
  try {
    const response = await fetch(`/api/v1/${path}`, {
      method,
      headers,
      // Revalidated each time: an answer that has not changed costs no bytes.
      cache: method === 'GET' ? 'no-cache' : 'no-store',
      signal: AbortSignal.timeout(timeoutMs),
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    if (response.ok) return { ok: true, value: (text === '' ? null : JSON.parse(text)) as T };
    return { ok: false, problem: toProblem(response.status, text, response.headers.get('Retry-After')) };
  } catch (thrown) {
    const detail =
      thrown instanceof Error && thrown.name === 'TimeoutError' ? t.problem.slow : t.problem.away;
    return {
      ok: false,
      problem: {
        status: 0,
        code: 'page.no-answer',
        detail,
        remedy: t.problem.awayRemedy,
        retryAfterSeconds: null,
      },
    };
  }
}

function toProblem(status: number, text: string, retryAfter: string | null): Problem {
  const said = parsed(text);
  const word = (key: string) => (typeof said[key] === 'string' ? said[key] : null);
  const seconds = Number(said.retryAfterSeconds ?? retryAfter ?? Number.NaN);
  return {
    status,
    code: word('code') ?? 'page.refused',
    detail: word('detail') ?? word('message') ?? word('title') ?? t.problem.refused(status),
    remedy: word('remedy'),
    retryAfterSeconds: Number.isFinite(seconds) ? seconds : null,
  };
}

function parsed(text: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? (value as Readonly<Record<string, unknown>>) : {};
  } catch {
    // A proxy's page, for example: the status alone is told.
    return {};
  }
}
