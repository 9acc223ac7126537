// `autoweave device allow|block PORT`: a rule for the device at a port, before all others.
import { parseArgs } from 'node:util';
import { UsbPort } from '../contracts/usb-device.ts';
import { AppError } from '../lib/app-error.ts';
import { schemaCheck } from '../lib/schema-check.ts';
import { actOptions, actUsage, applianceClient } from './appliance/appliance-client.ts';
import { cliError } from './cli-error.ts';
import { exitCodes } from './command.ts';
import { type Action, commandGroup } from './command-group.ts';
import { oneFile } from './command-options.ts';
import { plainLine } from './plain-text.ts';

const options = { ...actOptions, reason: { type: 'string' } } as const;

function judge(target: 'allow' | 'block', about: string): Action {
  return {
    usage: `${target} PORT [--reason TEXT] [--json] [--socket FILE | --url URL --token-file FILE]`,
    about,
    async run({ args, environment, print }) {
      const { positionals, values } = parseArgs({ args: [...args], options, allowPositionals: true });
      const port = oneFile(positionals, 'PORT');
      if (!schemaCheck(UsbPort)(port).ok)
        throw cliError(
          'cli.usage',
          `PORT is one that \`autoweave devices\` lists, such as 1-1.4, not ${port}`,
        );
      const body = values.reason === undefined ? {} : { reason: values.reason };
      const client = await applianceClient(values, environment);
      const answer = await client
        .send('POST', `/api/v1/devices/${port}/${target}`, body)
        .catch((cause: unknown) => {
          if (!(cause instanceof AppError) || cause.code !== 'policy.not-there') throw cause;
          throw new AppError(cause.code, `${cause.message} \`autoweave devices\` lists the ports.`, {
            cause,
          });
        });
      print(values.json ? `${JSON.stringify(answer, null, 2)}\n` : `${plainLine(String(answer.detail))}\n`);
      return exitCodes.ok;
    },
  };
}

export const deviceCommand = commandGroup({
  name: 'device',
  summary: 'Allow or block the USB device at a port',
  notes: `The rule goes before all others and stays; \`autoweave devices\` lists the ports and what holds now.

  --reason TEXT      kept with the rule, and in the audit
${actUsage}`,
  actions: {
    allow: judge('allow', 'Let it work, now and whenever it is plugged there.'),
    block: judge('block', 'Cut it off, now and whenever it is plugged there.'),
  },
});
