// Another role or a new password for somebody; it takes the administrator's own password.
import { passwordMinLength, type User } from '../model/answers.ts';
import { type Answered, ownRefusal } from '../model/ask.ts';
import type { ViewProps } from '../shell.tsx';
import { t } from '../strings.ts';
import { Field, Form, type Values } from '../ui/form.tsx';
import { OwnPassword, RoleChoice } from './granting.tsx';

interface ChangeUserProps extends ViewProps {
  readonly user: User;
  done(): void;
}

export function ChangeUser({ user, model, done }: ChangeUserProps) {
  const send = async ({
    currentPassword,
    password = '',
    role,
  }: Values): Promise<Answered<{ readonly detail?: string }>> => {
    const changes = {
      ...(role === user.role ? {} : { role }),
      ...(password === '' ? {} : { password }),
    };
    if (Object.keys(changes).length === 0) return unchanged;
    const path = `users/${encodeURIComponent(user.name)}`;
    return model.act(path, { method: 'PUT', body: { ...changes, currentPassword } }, t.users.changed);
  };
  return (
    <Form button={t.users.change} send={send} done={done}>
      <RoleChoice value={user.role} />
      <Field
        name="password"
        label={t.users.hisPassword}
        hint={t.users.hisPasswordHint}
        type="password"
        required={false}
        minLength={passwordMinLength}
        autocomplete="new-password"
      />
      <OwnPassword />
    </Form>
  );
}

const unchanged = ownRefusal('page.unchanged', t.users.unchanged);
