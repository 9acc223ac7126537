// `autoweave identify|reboot|factory-reset|claim-code`: what is asked of the box itself.
import { parseArgs } from 'node:util';
import { actOptions, actUsage, applianceClient, whereOptions } from './appliance/appliance-client.ts';
import { cliError } from './cli-error.ts';
import { type Command, exitCodes } from './command.ts';
import { numberOption } from './command-options.ts';
import { confirmAct } from './confirm-act.ts';
import { plainLine } from './plain-text.ts';
import { tellRefusal } from './tell-refusal.ts';

const IDENTIFY_SECONDS = 30;
const MOST_SECONDS = 300;

export const identifyCommand: Command = {
  name: 'identify',
  summary: 'Let the LED say which box this is',
  usage: `identify [--seconds N] ${whereOptions}

  --seconds N        for so long (${IDENTIFY_SECONDS}), at most ${MOST_SECONDS}; 0: no longer
${actUsage}`,
  run: (context) =>
    tellRefusal(context, async () => {
      const options = { ...actOptions, seconds: { type: 'string' } } as const;
      const { values } = parseArgs({ args: [...context.args], options });
      const seconds = numberOption('--seconds', values.seconds) ?? IDENTIFY_SECONDS;
      if (seconds > MOST_SECONDS)
        throw cliError('cli.usage', `--seconds takes at most ${MOST_SECONDS}, not ${seconds}`);
      const answer = await (await applianceClient(values, context.environment)).send(
        'POST',
        '/api/v1/identify',
        { seconds },
      );
      context.print(values.json ? `${JSON.stringify(answer)}\n` : `${plainLine(String(answer.detail))}\n`);
      return exitCodes.ok;
    }),
};

export const rebootCommand: Command = {
  name: 'reboot',
  summary: 'Start the computer of the appliance again',
  usage: `reboot [--yes] ${whereOptions}

  --yes              do not ask
${actUsage}`,
  run: (context) =>
    tellRefusal(context, async () => {
      const options = { ...actOptions, yes: { type: 'boolean', default: false } } as const;
      const { values } = parseArgs({ args: [...context.args], options });
      const consequence = 'Nothing is watched while the computer starts again.';
      if (!(await confirmAct(context, { yes: values.yes, consequence }))) return exitCodes.refused;
      const answer = await (await applianceClient(values, context.environment)).send(
        'POST',
        '/api/v1/reboot',
      );
      context.print(values.json ? `${JSON.stringify(answer)}\n` : `${plainLine(String(answer.detail))}\n`);
      return exitCodes.ok;
    }),
};

export const factoryResetCommand: Command = {
  name: 'factory-reset',
  summary: 'Forget everything: events, settings, users, plugins; the computer starts again',
  usage: `factory-reset [--yes] ${whereOptions}

  --yes              do not ask for the name of the appliance
What lies on the CONFIG partition stays. \`autoweave diagnostics FILE\` before keeps what helps to find a fault.
${actUsage}`,
  run: (context) =>
    tellRefusal(context, async () => {
      const options = { ...actOptions, yes: { type: 'boolean', default: false } } as const;
      const { values } = parseArgs({ args: [...context.args], options });
      const client = await applianceClient(values, context.environment);
      const { source } = await client.get('/api/v1/state', 'source');
      const name = plainLine(String(source).split(':').at(-1) ?? '');
      const consequence = `Events that were not sent yet, settings, users and plugins of ${name} are lost for good.`;
      if (!(await confirmAct(context, { yes: values.yes, consequence, word: name })))
        return exitCodes.refused;
      const answer = await client.send('POST', '/api/v1/factory-reset', { confirm: name });
      context.print(values.json ? `${JSON.stringify(answer)}\n` : `${plainLine(String(answer.detail))}\n`);
      return exitCodes.ok;
    }),
};

export const claimCodeCommand: Command = {
  name: 'claim-code',
  summary: 'Print the code with which the page makes the first administrator',
  usage: `claim-code [--json] [--socket FILE]

It is what the screen of the appliance shows; nothing in the network tells it. Once somebody is administrator there is none.`,
  run: (context) =>
    tellRefusal(context, async () => {
      const { socket, json } = actOptions;
      const { values } = parseArgs({ args: [...context.args], options: { socket, json } });
      const answer = await (await applianceClient(values, context.environment)).get(
        '/api/v1/claim-code',
        'code',
      );
      context.print(values.json ? `${JSON.stringify(answer)}\n` : `${plainLine(String(answer.code))}\n`);
      return exitCodes.ok;
    }),
};
