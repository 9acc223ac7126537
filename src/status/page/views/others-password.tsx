// A new password for somebody who has forgotten his; it takes the administrator's own one.
import { passwordMinLength, type User } from '../model/answers.ts';
import type { ViewProps } from '../shell.tsx';
import { t } from '../strings.ts';
import { Field, Form, type Values } from '../ui/form.tsx';

export function OthersPassword({ users, model }: ViewProps & { readonly users: readonly User[] }) {
  const self = model.session.value?.user?.name;
  const others = users.filter(({ name }) => name !== self);
  if (others.length === 0) return null;
  const send = ({ currentPassword, name = '', password }: Values) =>
    model.act<{ readonly detail?: string }>(
      `users/${encodeURIComponent(name)}`,
      { method: 'PUT', body: { currentPassword, password } },
      t.users.passwordDone,
    );
  return (
    <details>
      <summary>{t.users.newPassword}</summary>
      <Form button={t.users.newPassword} send={send}>
        <label class="field">
          <span>{t.users.whose}</span>
          <select name="name">
            {others.map(({ name }) => (
              <option key={name} value={name}>
                {name}
              </option>
            ))}
          </select>
        </label>
        <Field
          name="password"
          label={t.users.hisPassword}
          type="password"
          minLength={passwordMinLength}
          autocomplete="new-password"
        />
        <Field
          name="currentPassword"
          label={t.users.ownPassword}
          type="password"
          autocomplete="current-password"
        />
      </Form>
    </details>
  );
}
