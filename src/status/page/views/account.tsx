// One's own account: whether there is a second factor, on and off with it; the password.

import { useState } from 'preact/hooks';
import { encode } from 'uqr';
import { passwordMinLength } from '../model/answers.ts';
import { type Answered, ownRefusal } from '../model/ask.ts';
import type { Model } from '../model/model.ts';
import type { ViewProps } from '../shell.tsx';
import { t } from '../strings.ts';
import { Field, Form, type Values } from '../ui/form.tsx';
import { Card, Empty, Head, Pill } from '../ui/parts.tsx';

interface Enrolment {
  readonly secret: string;
  readonly uri: string;
  readonly detail?: string;
}

export function AccountView({ model }: ViewProps) {
  const user = model.session.value?.user ?? null;
  if (user === null) return <Empty title={t.loginToSee} />;
  return (
    <>
      <Head title={user.name} about={t.role[user.role]} />
      <div class="pair">
        <SecondFactor model={model} />
        <Card title={t.account.password}>
          <Form button={t.account.change} send={(values) => changePassword(model, values)}>
            <input type="text" name="name" autocomplete="username" value={user.name} hidden readOnly />
            <Field name="current" label={t.account.current} type="password" autocomplete="current-password" />
            <Field
              name="password"
              label={t.account.newPassword}
              hint={t.setup.passwordHint}
              type="password"
              minLength={passwordMinLength}
              autocomplete="new-password"
            />
            <Field name="repeat" label={t.setup.repeat} type="password" autocomplete="new-password" />
          </Form>
        </Card>
      </div>
    </>
  );
}

async function changePassword(
  model: Model,
  { current, password, repeat }: Values,
): Promise<Answered<{ readonly detail?: string }>> {
  if (password !== repeat) return unequal;
  return model.act(
    'users/me/password',
    { method: 'PUT', body: { current, password } },
    t.account.passwordDone,
  );
}

const unequal = ownRefusal('page.unequal', t.setup.unequal);

function SecondFactor({ model }: ViewProps) {
  const [enrolment, setEnrolment] = useState<Enrolment | null>(null);
  const begin = async () => {
    const answer = await model.act<Enrolment>('users/me/totp', { method: 'POST' }, t.account.begun);
    if (answer.ok) setEnrolment(answer.value);
  };
  const confirm = async (values: Values) => {
    const answer = await model.act(
      'users/me/totp',
      { method: 'PUT', body: { code: digits(values.code), current: values.current } },
      t.account.on,
    );
    if (answer.ok) {
      setEnrolment(null);
      await model.readSession();
    }
    return answer;
  };
  const off = async (values: Values) => {
    const answer = await model.act(
      'users/me/totp',
      { method: 'DELETE', body: { code: digits(values.code) } },
      t.account.off,
    );
    if (answer.ok) await model.readSession();
    return answer;
  };
  const code = (
    <Field
      name="code"
      label={t.login.code}
      hint={t.login.codeHint}
      pattern="[0-9 ]{6,8}"
      autocomplete="one-time-code"
      mono
      numeric
    />
  );
  const isOn = model.session.value?.totp ?? null;
  return (
    <Card
      title={t.account.totp}
      aside={
        <Pill tone={isOn === null ? 'unknown' : isOn ? 'ok' : 'warn'}>
          {isOn === null ? t.unknown : isOn ? t.account.isOn : t.account.isOff}
        </Pill>
      }
    >
      <p>{t.account.totpWhy}</p>
      {enrolment !== null ? (
        <>
          <Qr text={enrolment.uri} />
          <p class="quiet">
            {t.account.orType} <code>{enrolment.secret}</code>
          </p>
          <Form button={t.account.turnOn} send={confirm}>
            {code}
            <Field name="current" label={t.account.current} type="password" autocomplete="current-password" />
          </Form>
        </>
      ) : isOn === true ? (
        <details>
          <summary>{t.account.turnOff}</summary>
          <Form button={t.account.turnOff} danger send={off}>
            {code}
          </Form>
        </details>
      ) : (
        <div class="acts">
          <button type="button" class="solid" onClick={() => void begin()}>
            {t.account.begin}
          </button>
        </div>
      )}
    </Card>
  );
}

/** Authenticators show the code in two groups. */
export const digits = (code = ''): string => code.replaceAll(' ', '');

/** Dark on light in both themes, because not every reader takes the opposite. */
function Qr({ text }: { readonly text: string }) {
  const { data, size } = encode(text, { border: 2 });
  const path = data
    .flatMap((row, y) => row.flatMap((dark, x) => (dark ? [`M${x} ${y}h1v1h-1z`] : [])))
    .join('');
  return (
    <svg
      class="qr"
      viewBox={`0 0 ${size} ${size}`}
      role="img"
      aria-label={t.account.qr}
      shapeRendering="crispEdges"
    >
      <path d={path} />
    </svg>
  );
}
