// `--role ROLE` -> a role, or an error of usage.
import { type Role, roles } from '../contracts/api-access.ts';
import { cliError } from './cli-error.ts';

export function roleOption(text: string | undefined): Role {
  const role = roles.find((each) => each === text);
  if (role === undefined)
    throw cliError(
      'cli.usage',
      `--role is needed: ${roles.join(', ')}${text === undefined ? '' : `, not ${text}`}`,
    );
  return role;
}
