// What a part says to something that was asked for -> an answer.
import type { ActVerdict } from '../../contracts/appliance-control.ts';
import { problem } from '../answer.ts';
import type { ApiAnswer } from './operation.ts';

/** A part's own code says which kind of no it is. */
export function actProblem({ code, reason }: Extract<ActVerdict, { ok: false }>): ApiAnswer {
  const remedy = 'Change what the reason names, then ask again.';
  return problem(statusOf(code), { code, message: reason, remedy });
}

function statusOf(code: string): number {
  if (/\.(not-installed|not-there|unknown)$/.test(code)) return 404;
  return /\.(unavailable|unreachable|write-failed)$/.test(code) ? 503 : 409;
}
