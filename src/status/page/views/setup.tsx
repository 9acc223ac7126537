// A new box: claimed with the code on its own screen, then told what it is called and whom it sends to.
import { useState } from 'preact/hooks';
import { passwordMinLength, type SessionAnswer, userNamePattern } from '../model/answers.ts';
import { ask, ownRefusal } from '../model/ask.ts';
import { facts } from '../model/page-facts.ts';
import { linkTo } from '../model/route.ts';
import type { ViewProps } from '../shell.tsx';
import { t } from '../strings.ts';
import { Field, Form, type Values } from '../ui/form.tsx';
import { Card, Empty } from '../ui/parts.tsx';

export function SetupView({ model }: ViewProps) {
  const session = model.session.value;
  const state = model.state.value;
  const [done, setDone] = useState<string | null>(null);
  const step = session?.claimed === false ? 1 : done === null ? 2 : 3;
  return (
    <div class="narrow setup">
      <ol class="steps" aria-label={t.setup.steps}>
        {[t.setup.step1, t.setup.step2, t.setup.step3].map((name, index) => (
          <li
            key={name}
            aria-current={index + 1 === step ? 'step' : undefined}
            class={index + 1 < step ? 'done' : ''}
          >
            <b>{index + 1}</b> {name}
          </li>
        ))}
      </ol>
      {step === 1 ? (
        <Claim model={model} />
      ) : step === 3 ? (
        <Card>
          <h1>{t.setup.done}</h1>
          <p>{done}</p>
          <div class="acts">
            <a class="button solid" href={linkTo('overview')}>
              {t.setup.toOverview}
            </a>
          </div>
        </Card>
      ) : !model.may('admin') ? (
        <Card>
          <h1>{t.view.setup}</h1>
          <Empty title={t.setup.adminOnly}>
            <a href={linkTo('login')}>{t.view.login}</a>
          </Empty>
        </Card>
      ) : (
        <Provision model={model} provisioned={state?.provisioned === true} done={setDone} />
      )}
    </div>
  );
}

function Claim({ model }: ViewProps) {
  const send = ({ repeat, code = '', ...values }: Values) => {
    if (repeat !== values.password) return Promise.resolve(unequal);
    return ask<SessionAnswer>('claim', {
      method: 'POST',
      body: { ...values, code: code.trim() },
      timeoutMs: 20_000,
    });
  };
  return (
    <Card>
      <h1>{t.setup.claimTitle}</h1>
      <p>{t.setup.claimWhy}</p>
      <Form button={t.setup.claim} send={send} done={() => void model.readSession()}>
        <Field name="code" label={t.setup.code} hint={t.setup.codeHint} mono />
        <Field
          name="name"
          label={t.setup.adminName}
          value="admin"
          autocomplete="username"
          pattern={userNamePattern}
        />
        <Field
          name="password"
          label={t.login.password}
          hint={t.setup.passwordHint}
          type="password"
          minLength={passwordMinLength}
          autocomplete="new-password"
        />
        <Field name="repeat" label={t.setup.repeat} type="password" autocomplete="new-password" />
      </Form>
    </Card>
  );
}

const unequal = ownRefusal('page.unequal', t.setup.unequal);
const SEGMENT = '[A-Za-z0-9._\\-]{1,64}';

function Provision({
  model,
  provisioned,
  done,
}: ViewProps & { readonly provisioned: boolean; done(detail: string): void }) {
  const [tenant = '', site = ''] = facts.place.split(' / ');
  const send = ({ url = '', user = '', password = '', ...values }: Values) => {
    const broker = { url, ...(user === '' ? {} : { user }), ...(password === '' ? {} : { password }) };
    const body = { ...values, broker, ...(provisioned ? { replace: true } : {}) };
    return ask<{ readonly detail?: string }>('setup', {
      method: 'POST',
      body,
      csrf: model.session.value?.csrf ?? null,
      timeoutMs: 30_000,
    });
  };
  return (
    <Card>
      <h1>{t.setup.provisionTitle}</h1>
      <p>{t.setup.provisionWhy}</p>
      {provisioned ? <p class="warning">{t.setup.replaces}</p> : null}
      <Form
        button={provisioned ? t.setup.replace : t.setup.send}
        danger={provisioned}
        send={send}
        done={(value) => done(value?.detail ?? t.setup.doneWhy)}
      >
        <div class="three">
          <Field name="tenant" label={t.setup.tenant} value={tenant} pattern={SEGMENT} />
          <Field name="site" label={t.setup.site} value={site} pattern={SEGMENT} />
          <Field name="name" label={t.setup.name} value={facts.name} pattern={SEGMENT} />
        </div>
        <Field
          name="url"
          label={t.setup.broker}
          hint={t.setup.brokerHint}
          pattern="(mqtts?|wss?)://.+"
          mono
          value="mqtts://"
        />
        <div class="two">
          <Field name="user" label={t.setup.brokerUser} required={false} />
          <Field
            name="password"
            label={t.setup.brokerPassword}
            required={false}
            type="password"
            autocomplete="off"
          />
        </div>
      </Form>
    </Card>
  );
}
