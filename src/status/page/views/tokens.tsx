// Tokens of programs: made, shown once, taken back.
import { useState } from 'preact/hooks';
import type { TokensAnswer } from '../model/answers.ts';
import { instant } from '../model/units.ts';
import type { ViewProps } from '../shell.tsx';
import { t } from '../strings.ts';
import { Confirm } from '../ui/confirm.tsx';
import { Field, Form, type Values } from '../ui/form.tsx';
import { Card, Empty, Waiting } from '../ui/parts.tsx';
import { useAnswer } from '../ui/use-answer.ts';
import { OwnPassword, RoleChoice } from './granting.tsx';

export function Tokens({ model }: ViewProps) {
  const kept = useAnswer<TokensAnswer>(model, 'tokens');
  const [made, setMade] = useState<string | null>(null);
  const add = async (values: Values) => {
    const answer = await model.act<{ readonly token: string; readonly detail?: string }>(
      'tokens',
      { method: 'POST', body: values },
      t.tokens.added,
    );
    if (answer.ok) {
      setMade(answer.value.token);
      await kept.again();
    }
    return answer;
  };
  const remove = (name: string) => async () => {
    await model.act(`tokens/${encodeURIComponent(name)}`, { method: 'DELETE' }, t.tokens.removed);
    await kept.again();
  };
  return (
    <div class="pair">
      <Card title={t.tokens.title}>
        {made === null ? null : (
          <p class="made" role="status">
            {t.tokens.once} <code>{made}</code>
          </p>
        )}
        {kept.value === null ? (
          <Waiting problem={kept.problem} />
        ) : kept.value.tokens.length === 0 ? (
          <Empty title={t.tokens.none}>{t.tokens.noneWhy}</Empty>
        ) : (
          <ul class="people">
            {kept.value.tokens.map(({ name, role, since }) => (
              <li key={name}>
                <span class="person">
                  <strong>{name}</strong>
                  <small class="quiet">{`${t.role[role]} · ${t.tokens.made(instant(since))}`}</small>
                </span>
                <Confirm
                  label={t.tokens.revoke}
                  title={t.tokens.revokeTitle(name)}
                  consequence={t.tokens.revokeWhy}
                  danger
                  onYes={remove(name)}
                />
              </li>
            ))}
          </ul>
        )}
      </Card>
      <Card title={t.tokens.add}>
        <Form button={t.tokens.add} send={add}>
          <Field name="name" label={t.tokens.name} pattern="[A-Za-z0-9][A-Za-z0-9._\-]{0,63}" />
          <RoleChoice />
          <OwnPassword />
        </Form>
      </Card>
    </div>
  );
}
