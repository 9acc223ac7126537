// `autoweave flash FILE [DEVICE…]`: an image onto sticks, cards or disks, done only once it was read back.
import { parseArgs } from 'node:util';
import { checkImageFile } from '../flash/check-image-file.ts';
import { checkImageSignature } from '../flash/check-image-signature.ts';
import { offeredDisks } from '../flash/choose-disks.ts';
import { type SystemRoots, systemRoots } from '../flash/disk.ts';
import type { FlashOptions } from '../flash/flash-disks.ts';
import { FlashError } from '../flash/flash-error.ts';
import { openImageFile } from '../flash/image-source.ts';
import { readDisks } from '../flash/read-disks.ts';
import { type Command, type CommandContext, exitCodes } from './command.ts';
import { diskFacts, diskListText } from './disk-list-text.ts';
import { chooseAndConfirm, sayProblem, writeDisks } from './write-disks.ts';

export function createFlashCommand(roots: SystemRoots, open?: FlashOptions['open']): Command {
  return {
    name: 'flash',
    summary: 'Write an image to sticks, cards or disks and read it back',
    usage: `flash FILE [DEVICE…] [--pub PUB] [--sha256 HEX] [--yes] [--json]
       autoweave flash --list [--json]

  FILE           A raw image, or one compressed with gzip or zstd
  DEVICE         Whole disks, such as /dev/sdb; without it the disks are listed and you are asked
  --sha256 HEX   What the SHA-256 of FILE must be; FILE.sha256 is compared too if it exists
  --pub PUB      SHA256SUMS beside FILE must name it and be signed (SHA256SUMS.minisig) by this minisign key: a file or RW…
  --yes          Do not ask
  --list         List the disks that may be written, and what is on them
  --json         The result as one JSON document; progress as JSON lines on standard error

Everything on the disks is lost. "done" is said only after all that was written was read back from the
disk and was equal. The disk that this system runs from and read-only disks are never written.
Exit code 0: every disk is done. 1: at least one is not. 2: the command line is wrong.`,
    async run(context) {
      const { values, positionals } = parseArgs({
        args: [...context.args],
        options: {
          sha256: { type: 'string' },
          pub: { type: 'string' },
          yes: { type: 'boolean', default: false },
          list: { type: 'boolean', default: false },
          json: { type: 'boolean', default: false },
        },
        allowPositionals: true,
      });
      const [file, ...named] = positionals;
      if (values.list) return list(context, roots, values.json);
      if (file === undefined) {
        context.complain('autoweave flash: no FILE is named. `autoweave help flash` explains.\n');
        return exitCodes.usage;
      }
      try {
        const source = await openImageFile(file);
        const signed = values.pub === undefined ? null : await checkImageSignature(file, values.pub);
        const given = values.sha256 === undefined ? [] : [{ from: '--sha256', sha256: values.sha256 }];
        const checked = await checkImageFile(file, signed === null ? given : [...given, signed]);
        if (!values.json)
          context.complain(
            checked.sha256 === null
              ? `No checksum beside ${file}: whether the file itself is right is not known.\n`
              : `SHA-256 as in ${checked.comparedWith.join(' and ')}\n`,
          );
        if (signed !== null && !values.json) context.complain(`Signed by ${signed.keyId}\n`);
        const { disks } = await readDisks(roots);
        const offered = offeredDisks(disks);
        const what = file;
        const choice = await chooseAndConfirm(context, {
          roots,
          all: disks,
          offered,
          named,
          what,
          ...values,
        });
        if (!choice.ok) return sayProblem(context, choice.problem, values.json);
        const options = { source, disks: choice.value, roots, ...(open === undefined ? {} : { open }) };
        return await writeDisks(context, options, {
          json: values.json,
          notes: { file, fileCheck: checked, signedBy: signed?.keyId ?? null },
        });
      } catch (error) {
        if (!(error instanceof FlashError)) throw error;
        return sayProblem(context, error.problem, values.json);
      }
    },
  };
}

export const flashCommand: Command = createFlashCommand(systemRoots);

async function list({ print, complain }: CommandContext, roots: SystemRoots, json: boolean): Promise<number> {
  const offered = offeredDisks((await readDisks(roots)).disks);
  if (json) print(`${JSON.stringify({ disks: offered.map(diskFacts) })}\n`);
  else if (offered.length === 0) complain('There is no disk that may be written.\n');
  else print(diskListText(offered));
  return exitCodes.ok;
}
