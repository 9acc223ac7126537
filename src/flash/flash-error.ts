// Everything that can be wrong while media are chosen, written and read back. Each problem names its remedy.
import { AppError } from '../lib/app-error.ts';

export type FlashErrorCode =
  // The choice of the disk.
  | 'flash.no-disk'
  | 'flash.unknown-device'
  | 'flash.not-a-disk'
  | 'flash.named-twice'
  | 'flash.system-disk'
  | 'flash.read-only'
  | 'flash.mounted'
  | 'flash.in-use'
  | 'flash.too-small'
  | 'flash.block-size'
  | 'flash.not-confirmed'
  | 'flash.no-permission'
  | 'flash.boot-disk-unknown'
  | 'flash.boot-disk-unsuitable'
  // What is to be written.
  | 'flash.image-missing'
  | 'flash.image-empty'
  | 'flash.image-format'
  | 'flash.image-truncated'
  | 'flash.image-damaged'
  | 'flash.image-changed'
  | 'flash.table-damaged'
  | 'flash.checksum-wrong'
  | 'flash.checksum-unreadable'
  | 'flash.signature-missing'
  | 'flash.signature-wrong'
  | 'flash.key-unreadable'
  // The medium, from the first byte on.
  | 'flash.device-vanished'
  | 'flash.device-error'
  | 'flash.short-write'
  | 'flash.read-back-differs';

export interface FlashProblem {
  readonly code: FlashErrorCode;
  /** Action, reason and current value. */
  readonly message: string;
  readonly remedy: string;
}

/** A problem on its way up; the edges of the folder turn it into a value again. */
export class FlashError extends AppError<FlashErrorCode> {
  readonly remedy: string;

  constructor({ code, message, remedy }: FlashProblem, cause?: unknown) {
    super(code, message, cause === undefined ? {} : { cause });
    this.remedy = remedy;
  }

  get problem(): FlashProblem {
    return { code: this.code, message: this.message, remedy: this.remedy };
  }
}
