/**
 * The one error class. `code` is `<folder>.<what-is-wrong>`, stable, and documented by the folder that
 * throws it. The message says the action, the reason, the current value and, where a person can act, the remedy.
 */
export class AppError<Code extends string = string> extends Error {
  readonly code: Code;

  constructor(code: Code, message: string, options: { readonly cause?: unknown } = {}) {
    super(message, options);
    this.name = 'AppError';
    this.code = code;
  }
}
