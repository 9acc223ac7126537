// Name and password -> a session; the second factor is asked for once the appliance wants it.
import { useEffect, useState } from 'preact/hooks';
import type { SessionAnswer } from '../model/answers.ts';
import { ask } from '../model/ask.ts';
import { linkTo } from '../model/route.ts';
import { duration } from '../model/units.ts';
import type { ViewProps } from '../shell.tsx';
import { t } from '../strings.ts';
import { Field, Form, type Values } from '../ui/form.tsx';
import { Card } from '../ui/parts.tsx';
import { digits } from './account.tsx';

export function LoginView({ model }: ViewProps) {
  const [known, setKnown] = useState<Values | null>(null);
  const [lockedUntilMs, setLockedUntilMs] = useState(0);
  const session = model.session.value;
  const back = model.route.view === 'login' ? linkTo('overview') : location.hash;
  const locked = (lockedUntilMs - model.nowMs) / 1_000;
  useEffect(() => {
    if (session?.user != null && model.route.view === 'login') location.hash = linkTo('overview');
  }, [session?.user]);

  const send = async (values: Values) => {
    const answer = await ask<SessionAnswer>('session', {
      method: 'POST',
      body: {
        ...known,
        ...values,
        ...(values.totp === undefined ? {} : { totp: digits(values.totp) }),
      },
      timeoutMs: 20_000,
    });
    if (answer.ok) return answer;
    if (answer.problem.code === 'status.totp-needed') setKnown({ ...known, ...values });
    if (answer.problem.retryAfterSeconds !== null)
      setLockedUntilMs(performance.now() + answer.problem.retryAfterSeconds * 1_000);
    return answer;
  };
  const done = async () => {
    setKnown(null);
    await model.readSession();
    location.hash = back;
  };

  return (
    <div class="narrow">
      <Card>
        <h1>{t.login.title}</h1>
        <p class="quiet">{model.route.view === 'login' ? t.login.about : t.login.needed}</p>
        {session?.tls === false &&
        location.hostname !== 'localhost' &&
        !location.hostname.startsWith('127.') ? (
          <p class="warning">{t.login.plain}</p>
        ) : null}
        {locked > 0 ? (
          <p class="warning">
            <span role="alert">{t.login.locked}</span> <span>{t.login.lockedFor(duration(locked))}</span>
          </p>
        ) : null}
        {known === null ? (
          <Form key="name" button={t.login.in} send={send} done={() => void done()}>
            <Field name="name" label={t.login.name} autocomplete="username" />
            <Field name="password" label={t.login.password} type="password" autocomplete="current-password" />
          </Form>
        ) : (
          <>
            <Form key="totp" button={t.login.in} send={send} done={() => void done()}>
              <Field
                name="totp"
                label={t.login.code}
                hint={t.login.codeHint}
                pattern="[0-9 ]{6,8}"
                autocomplete="one-time-code"
                mono
                numeric
                focused
              />
            </Form>
            <button type="button" class="link" onClick={() => setKnown(null)}>
              {t.login.other}
            </button>
          </>
        )}
      </Card>
    </div>
  );
}
