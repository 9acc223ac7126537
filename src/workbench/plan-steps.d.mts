// Types of plan-steps.mjs, which has to be plain JavaScript; for its tests.

export interface Host {
  readonly platform: string;
  readonly arch: string;
  readonly libc: 'glibc' | 'musl';
  readonly glibc: string | null;
  readonly nodeVersion: string;
  readonly distribution: string;
  readonly installer: 'apt-get' | 'apk' | null;
  /** What to put before a command that needs root; null when this user may not. */
  readonly privilege: readonly string[] | null;
  readonly aptListsAgeDays: number | null;
  readonly systemd: boolean;
}

/** An entry of system-packages.json. */
export interface SystemPackage {
  readonly name: string;
  readonly tasks: readonly ('start' | 'test')[];
  readonly why: string;
  /** Paths or names of commands; any one of them shows that the package is there. */
  readonly proof: readonly string[];
  readonly apt: readonly string[];
  /** Package names, or a list of alternatives of them. */
  readonly apk: readonly string[] | readonly (readonly string[])[];
  /** Units that Debian would start on installation. */
  readonly services?: readonly string[];
  readonly present: boolean;
}

export type Step =
  | { readonly kind: 'note'; readonly say: string }
  | { readonly kind: 'remove'; readonly say: string; readonly path: string }
  | {
      readonly kind: 'run';
      readonly say: string;
      readonly command: readonly string[];
      readonly mayFail?: true;
      readonly remedy?: string;
    }
  | {
      readonly kind: 'run-first';
      readonly say: string;
      readonly commands: readonly (readonly string[])[];
      readonly remedy: string;
    };

export type Plan =
  | { readonly ok: true; readonly steps: readonly Step[] }
  | { readonly ok: false; readonly reason: string };

export function planSteps(facts: {
  readonly host: Host;
  readonly packages: readonly SystemPackage[];
  readonly modulesMatch: boolean;
  /** Where node_modules leads when it is a symbolic link; null: it is none. */
  readonly modulesLink: string | null;
}): Plan;

export function shellLine(command: readonly string[]): string;
