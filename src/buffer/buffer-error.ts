import { AppError } from '../lib/app-error.ts';

/** Everything that can be wrong here. Only `buffer.stopped` leaves this folder; the others become health and are retried. */
export type BufferErrorCode =
  | 'buffer.stopped'
  | 'buffer.redis-unreachable'
  | 'buffer.redis-timed-out'
  /** Redis's own answer: surely not stored. */
  | 'buffer.redis-refused'
  /** Part of a transaction failed: somebody else writes to the same keys. */
  | 'buffer.redis-conflict'
  | 'buffer.mark-unusable';

export type BufferError = AppError<BufferErrorCode>;

export function bufferError(code: BufferErrorCode, message: string, cause?: unknown): BufferError {
  return new AppError(code, message, cause === undefined ? {} : { cause });
}

export function stoppedError(): BufferError {
  return bufferError('buffer.stopped', 'The event buffer is stopping: nothing is read or stored any more');
}

export function isBufferError(thrown: unknown, code: BufferErrorCode): thrown is BufferError {
  return thrown instanceof AppError && thrown.code === code;
}
