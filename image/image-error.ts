// What can go wrong while an image is built. Every message ends with the remedy, because a person started the build.
import { AppError } from '../src/lib/app-error.ts';

export type ImageErrorCode =
  | 'image.tool-missing'
  | 'image.command-failed'
  | 'image.input-missing'
  | 'image.packages-unreachable'
  | 'image.package-damaged'
  | 'image.host-unsuitable'
  | 'image.kernel-unreadable'
  | 'image.module-missing'
  | 'image.library-missing'
  | 'image.too-large'
  | 'image.unwanted'
  | 'image.key-unusable'
  | 'image.locked';

export class ImageError extends AppError<ImageErrorCode> {
  /** Of the tool that failed; 1 where none did. */
  readonly exitCode: number;

  constructor(
    code: ImageErrorCode,
    message: string,
    options: { readonly cause?: unknown; readonly exitCode?: number } = {},
  ) {
    super(code, message, options);
    this.exitCode = options.exitCode ?? 1;
  }
}
