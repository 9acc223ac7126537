// Who may do what: people with their roles, and tokens of programs.
import { useRef, useState } from 'preact/hooks';
import { passwordMinLength, type User, type UsersAnswer, userNamePattern } from '../model/answers.ts';
import type { ViewProps } from '../shell.tsx';
import { t } from '../strings.ts';
import { Confirm } from '../ui/confirm.tsx';
import { Field, Form, type Values } from '../ui/form.tsx';
import { Card, Head, Waiting } from '../ui/parts.tsx';
import { type Kept, useAnswer } from '../ui/use-answer.ts';
import { ChangeUser } from './change-user.tsx';
import { OwnPassword, RoleChoice } from './granting.tsx';
import { Tokens } from './tokens.tsx';

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
            <OwnPassword />
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
  const [isOpen, setOpen] = useState(false);
  const button = useRef<HTMLButtonElement>(null);
  const changed = () => {
    setOpen(false);
    button.current?.focus();
    void kept.again();
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
          {[t.role[user.role], self ? t.users.you : null, user.totp ? t.users.hasTotp : t.users.noTotp]
            .filter(Boolean)
            .join(' · ')}
        </small>
      </span>
      {self ? (
        <a href="#/account">{t.view.account}</a>
      ) : (
        <span class="acts">
          <button
            ref={button}
            type="button"
            aria-expanded={isOpen}
            aria-label={t.users.changeWho(user.name)}
            onClick={() => setOpen(!isOpen)}
          >
            {t.users.change}
          </button>
          <Confirm
            label={t.users.remove}
            title={t.users.removeTitle(user.name)}
            consequence={t.users.removeWhy}
            danger
            onYes={remove}
          />
        </span>
      )}
      {isOpen ? <ChangeUser user={user} model={model} done={changed} /> : null}
    </li>
  );
}
