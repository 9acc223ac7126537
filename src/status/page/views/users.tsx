// Who may do what: people with their roles, and tokens of programs.
import {
  passwordMinLength,
  type Role,
  type User,
  type UsersAnswer,
  userNamePattern,
} from '../model/answers.ts';
import type { ViewProps } from '../shell.tsx';
import { t } from '../strings.ts';
import { Confirm } from '../ui/confirm.tsx';
import { Field, Form, type Values } from '../ui/form.tsx';
import { Card, Head, Waiting } from '../ui/parts.tsx';
import { type Kept, useAnswer } from '../ui/use-answer.ts';
import { OthersPassword } from './others-password.tsx';
import { Tokens } from './tokens.tsx';

export const roles: readonly Role[] = ['viewer', 'operator', 'admin'];

export const RoleChoice = ({ value = 'viewer' }: { readonly value?: Role }) => (
  <label class="field">
    <span>{t.users.role}</span>
    <select name="role" defaultValue={value}>
      {roles.map((role) => (
        <option key={role} value={role} selected={role === value}>
          {t.role[role]}
        </option>
      ))}
    </select>
    <small class="quiet">{t.users.rolesAbout}</small>
  </label>
);

export function UsersView({ model }: ViewProps) {
  const kept = useAnswer<UsersAnswer>(model, 'users');
  const add = async (values: Values) => {
    const answer = await model.act('users', { method: 'POST', body: values }, t.users.added);
    if (answer.ok) await kept.again();
    return answer;
  };
  return (
    <>
      <Head title={t.view.users} about={t.users.about} />
      <div class="pair">
        <Card title={t.users.people}>
          {kept.value === null ? (
            <Waiting problem={kept.problem} />
          ) : (
            <ul class="people">
              {kept.value.users.map((user) => (
                <Person key={user.name} user={user} kept={kept} model={model} />
              ))}
            </ul>
          )}
          <OthersPassword users={kept.value?.users ?? []} model={model} />
        </Card>
        <Card title={t.users.add}>
          <Form button={t.users.add} send={add}>
            <Field name="name" label={t.login.name} pattern={userNamePattern} />
            <Field
              name="password"
              label={t.login.password}
              hint={t.setup.passwordHint}
              type="password"
              minLength={passwordMinLength}
              autocomplete="new-password"
            />
            <RoleChoice />
          </Form>
        </Card>
      </div>
      <Tokens model={model} />
    </>
  );
}

function Person({
  user,
  kept,
  model,
}: ViewProps & { readonly user: User; readonly kept: Kept<UsersAnswer> }) {
  const self = model.session.value?.user?.name === user.name;
  const path = `users/${encodeURIComponent(user.name)}`;
  const change = async (role: string) => {
    await model.act(path, { method: 'PUT', body: { role } }, t.users.changed);
    await kept.again();
  };
  const remove = async () => {
    await model.act(path, { method: 'DELETE' }, t.users.removed);
    await kept.again();
  };
  return (
    <li>
      <span class="person">
        <strong>{user.name}</strong>
        <small class="quiet">
          {[self ? t.users.you : null, user.totp ? t.users.hasTotp : t.users.noTotp]
            .filter(Boolean)
            .join(' · ')}
        </small>
      </span>
      <select
        aria-label={t.users.roleOf(user.name)}
        disabled={self}
        onChange={({ currentTarget }) => void change(currentTarget.value)}
      >
        {roles.map((role) => (
          <option key={role} value={role} selected={role === user.role}>
            {t.role[role]}
          </option>
        ))}
      </select>
      <Confirm
        label={t.users.remove}
        title={t.users.removeTitle(user.name)}
        consequence={t.users.removeWhy}
        danger
        disabled={self}
        onYes={remove}
      />
    </li>
  );
}
