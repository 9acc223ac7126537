// `autoweave setup`: the name of a running appliance and its broker, as the page's set-up asks for them.
import { parseArgs } from 'node:util';
import { actOptions, actUsage, applianceClient, whereOptions } from './appliance/appliance-client.ts';
import { cliError } from './cli-error.ts';
import { type Command, exitCodes } from './command.ts';
import { confirmAct } from './confirm-act.ts';
import { newPassword } from './new-password.ts';
import { plainLine } from './plain-text.ts';
import { tellRefusal } from './tell-refusal.ts';

const options = {
  ...actOptions,
  tenant: { type: 'string' },
  site: { type: 'string' },
  name: { type: 'string' },
  broker: { type: 'string' },
  user: { type: 'string' },
  'password-file': { type: 'string' },
  replace: { type: 'boolean', default: false },
  yes: { type: 'boolean', default: false },
} as const;

export const setupCommand: Command = {
  name: 'setup',
  summary: 'Name a running appliance and its broker; it starts again with them',
  usage: `setup --tenant TENANT --site SITE --name NAME --broker URL [--user USER [--password-file FILE]]
                       [--replace [--yes]] ${whereOptions}

  --broker URL       mqtts://broker.example:8883; mqtt, ws and wss are known too
  --user USER        at the broker; asks for the password
  --password-file F  its first line is that password
  --replace          also where there is a broker already: it gets nothing more
  --yes              do not ask
\`autoweave provision\` does the same to a disk that is not running, with every other setting.
${actUsage}`,
  run: (context) =>
    tellRefusal(context, async () => {
      const { values } = parseArgs({ args: [...context.args], options });
      const { broker, name, replace, site, tenant, user } = values;
      if (tenant === undefined || site === undefined || name === undefined || broker === undefined)
        throw cliError('cli.usage', '--tenant, --site, --name and --broker are needed');
      const file = values['password-file'];
      if (user === undefined && file !== undefined)
        throw cliError('cli.usage', '--password-file is the password of --user, which is missing');
      const consequence = `The appliance becomes ${tenant}/${site}/${name} and sends to ${broker} alone.`;
      if (replace && !(await confirmAct(context, { yes: values.yes, consequence }))) return exitCodes.refused;
      const question = `Password of ${user ?? ''} at the broker: `;
      const login =
        user === undefined ? {} : { user, password: await newPassword(context, { file, question }) };
      const body = { tenant, site, name, broker: { url: broker, ...login }, ...(replace ? { replace } : {}) };
      const answer = await (await applianceClient(values, context.environment)).send(
        'POST',
        '/api/v1/setup',
        body,
      );
      context.print(values.json ? `${JSON.stringify(answer)}\n` : `${plainLine(String(answer.detail))}\n`);
      return exitCodes.ok;
    }),
};
