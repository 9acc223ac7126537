// One step of an installation, as a planner says it. Paths are absolute in the host; the executor puts the root before them.

export type HostStep =
  | { readonly kind: 'folder'; readonly path: string }
  | {
      readonly kind: 'file';
      readonly path: string;
      readonly mode: number;
      /** Left out: root's. */
      readonly group?: string;
      readonly content: string | Uint8Array;
    }
  | { readonly kind: 'link'; readonly path: string; readonly target: string }
  | { readonly kind: 'remove'; readonly path: string }
  | { readonly kind: 'remove-folder'; readonly path: string; readonly evenIfFull: boolean }
  | {
      readonly kind: 'run';
      readonly command: readonly [string, ...string[]];
      /** A failure is told and the next step follows. */
      readonly mayFail: boolean;
    };

export function stepText(step: HostStep): string {
  switch (step.kind) {
    case 'folder':
      return `make the folder ${step.path}`;
    case 'file': {
      const group = step.group === undefined ? '' : `, group ${step.group}`;
      return `write ${step.path} (mode ${step.mode.toString(8)}${group})`;
    }
    case 'link':
      return `link ${step.path} to ${step.target}`;
    case 'remove':
      return `remove ${step.path}`;
    case 'remove-folder':
      return `remove the folder ${step.path}${step.evenIfFull ? ' with all that is in it' : ' if it is empty'}`;
    case 'run':
      return `run ${step.command.join(' ')}`;
  }
}
