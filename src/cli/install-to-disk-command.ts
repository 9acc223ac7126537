// `autoweave install-to-disk [DEVICE]`: the booted stick installs itself to another disk of the same computer.
import { randomUUID } from 'node:crypto';
import { parseArgs } from 'node:util';
import { bytesText } from '../flash/bytes-text.ts';
import { offeredDisks } from '../flash/choose-disks.ts';
import { type SystemRoots, systemRoots } from '../flash/disk.ts';
import type { FlashOptions } from '../flash/flash-disks.ts';
import { diskSource } from '../flash/image-source.ts';
import { isInternal, planInstall } from '../flash/plan-install.ts';
import { readDisks } from '../flash/read-disks.ts';
import { type Command, exitCodes } from './command.ts';
import { chooseAndConfirm, sayProblem, writeDisks } from './write-disks.ts';

export function createInstallToDiskCommand(roots: SystemRoots, open?: FlashOptions['open']): Command {
  return {
    name: 'install-to-disk',
    summary: 'Copy the appliance from the stick it was booted from to a disk of this computer',
    usage: `install-to-disk [DEVICE] [--yes] [--json]

  DEVICE   A whole disk, such as /dev/nvme0n1; without it the internal disks are listed and you are asked
  --yes    Do not ask
  --json   The result as one JSON document; progress as JSON lines on standard error

Copies all partitions but the data partition and reads everything back. The new disk makes its own data
partition and its own identity keys at its first start. Passwords that were taken out of autoweave.json are on
the data partition: write them into that of the new disk again. Everything that was on DEVICE is lost.
Exit code 0: done. 1: not done. 2: the command line is wrong.`,
    async run(context) {
      const { values, positionals } = parseArgs({
        args: [...context.args],
        options: { yes: { type: 'boolean', default: false }, json: { type: 'boolean', default: false } },
        allowPositionals: true,
      });
      if (positionals.length > 1) {
        context.complain(`autoweave install-to-disk: "${positionals[1]}" is one disk too many.\n`);
        return exitCodes.usage;
      }
      const found = await readDisks(roots);
      const plan = planInstall(found);
      if (!plan.ok) return sayProblem(context, plan.problem, values.json);
      const { from, table, without, extentBytes } = plan.value;
      if (!values.json)
        context.complain(`Copies ${bytesText(extentBytes)} of ${from.path}, without its data partition.\n`);
      const offered = offeredDisks(found.disks).filter((disk) => disk.name !== from.name && isInternal(disk));
      // However the boot disk was recognized, it is never written.
      const all = found.disks.map((disk) =>
        disk.name === from.name
          ? {
              ...disk,
              uses: [{ kind: 'system', why: 'this system was started from it' } as const, ...disk.uses],
            }
          : disk,
      );
      const request = { roots, all, offered, named: positionals, what: `a copy of ${from.path}`, ...values };
      const choice = await chooseAndConfirm(context, request);
      if (!choice.ok) return sayProblem(context, choice.problem, values.json);
      const code = await writeDisks(
        context,
        {
          source: diskSource(from.path, extentBytes),
          disks: choice.value,
          roots,
          copyOf: { table, without, newGuid: randomUUID },
          ...(open === undefined ? {} : { open }),
        },
        { json: values.json, notes: { from: from.path } },
      );
      if (code === exitCodes.ok && !values.json)
        context.complain(`Shut down and pull ${from.path}: the computer then starts from its own disk.\n`);
      return code;
    },
  };
}

export const installToDiskCommand: Command = createInstallToDiskCommand(systemRoots);
