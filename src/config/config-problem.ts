// One thing wrong with the configuration. The codes are stable; src/config/README.md explains each.

export type ConfigCode =
  | 'config.unreadable'
  | 'config.too-large'
  | 'config.not-json'
  | 'config.duplicate-key'
  | 'config.unknown-key'
  | 'config.unknown-variable'
  | 'config.wrong-type'
  | 'config.not-allowed'
  | 'config.missing'
  | 'config.conflict';

export interface ConfigProblem {
  readonly code: ConfigCode;
  /** `section.key`, the name of an environment variable, or '' for the whole file. */
  readonly path: string;
  /** What is wrong, where it was written and what stands there (never a secret); no full stop. */
  readonly message: string;
  /** A sentence: what to do. */
  readonly remedy: string;
}
