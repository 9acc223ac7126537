// `autoweave completion bash`: the commands as data -> a script for the shell.
import { type Command, exitCodes } from './command.ts';

/** Words that a usage names: actions of a group, and options. */
function wordsOf({ usage }: Command): readonly string[] {
  const [first = ''] = usage.split('\n');
  const actions = /^\S+ ([a-z-]+(?:\|[a-z-]+)+)/.exec(first)?.[1]?.split('|') ?? [];
  const options = usage.match(/--[a-z][a-z-]+/g) ?? [];
  return [...new Set([...actions, ...options])];
}

export function bashCompletion(commands: readonly Pick<Command, 'name' | 'usage'>[]): string {
  const cases = commands.map(
    (command) => `    ${command.name}) words='${wordsOf(command as Command).join(' ')}' ;;`,
  );
  return `# bash completion of autoweave: autoweave completion bash > /etc/bash_completion.d/autoweave
_autoweave() {
  local word=\${COMP_WORDS[COMP_CWORD]} words
  case \${COMP_WORDS[1]} in
${cases.join('\n')}
    *) words= ;;
  esac
  [ "$COMP_CWORD" -gt 1 ] || words='${commands.map(({ name }) => name).join(' ')} help'
  COMPREPLY=($(compgen -W "$words" -- "$word"))
}
complete -o default -F _autoweave autoweave
`;
}

/** @param all read when it runs: the list contains this command itself */
export function createCompletionCommand(all: () => readonly Pick<Command, 'name' | 'usage'>[]): Command {
  return {
    name: 'completion',
    summary: 'Print a script that completes commands in the shell',
    usage: `completion bash

  autoweave completion bash > /etc/bash_completion.d/autoweave`,
    async run({ args, complain, print }) {
      if (args.length !== 1 || args[0] !== 'bash') {
        complain('autoweave completion: say `autoweave completion bash`; no other shell is known\n');
        return exitCodes.usage;
      }
      print(bashCompletion(all()));
      return exitCodes.ok;
    },
  };
}
