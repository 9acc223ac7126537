// The configuration in force, to read, and what can be done with the appliance as a whole.

import type { SettingsAnswer } from '../model/answers.ts';
import { facts } from '../model/page-facts.ts';
import { linkTo } from '../model/route.ts';
import { ago } from '../model/units.ts';
import type { ViewProps } from '../shell.tsx';
import { t } from '../strings.ts';
import { Confirm } from '../ui/confirm.tsx';
import { Card, Head, Waiting } from '../ui/parts.tsx';
import { useAnswer } from '../ui/use-answer.ts';

export function SettingsView({ model }: ViewProps) {
  const kept = useAnswer<SettingsAnswer>(model, 'settings');
  return (
    <>
      <Head
        title={t.view.settings}
        about={kept.value === null ? t.unknown : t.settings.asOf(ago(model.older(0, kept)))}
      >
        {model.may('admin') ? (
          <a class="button" href={linkTo('setup')}>
            {t.settings.setup}
          </a>
        ) : null}
      </Head>
      <Appliance model={model} />
      {kept.value === null ? (
        <Waiting problem={kept.problem} />
      ) : (
        <div class="grid settings">
          {Object.entries(kept.value.config).map(([name, section]) => (
            <Card key={name} title={name}>
              <Values value={section} path={name} hidden={kept.value?.hidden ?? []} />
            </Card>
          ))}
        </div>
      )}
    </>
  );
}

/** Keys stand as the configuration file has them: they are what one looks for there. */
function Values({
  value,
  path,
  hidden,
}: {
  readonly value: unknown;
  readonly path: string;
  readonly hidden: readonly string[];
}) {
  if (hidden.includes(path)) return <span class="quiet">{t.settings.hidden}</span>;
  if (value === null || value === undefined) return <span class="quiet">{t.settings.unset}</span>;
  if (typeof value === 'boolean') return <code>{value ? 'true' : 'false'}</code>;
  if (typeof value !== 'object') return <code>{String(value)}</code>;
  const entries = Object.entries(value);
  if (entries.length === 0) return <span class="quiet">{t.settings.empty}</span>;
  if (Array.isArray(value) && value.every((each) => typeof each !== 'object'))
    return <code>{value.join(' ')}</code>;
  return (
    <dl class="facts tight">
      {entries.map(([key, each]) => (
        <div key={key} class={isBranch(each) ? 'nested' : ''}>
          <dt>{Array.isArray(value) ? String(Number(key) + 1) : key}</dt>
          <dd>
            <Values value={each} path={`${path}.${key}`} hidden={hidden} />
          </dd>
        </div>
      ))}
    </dl>
  );
}

/** Has lines of its own: below its name they have room. */
function isBranch(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false;
  return !Array.isArray(value) || value.some((each) => typeof each === 'object');
}

function Appliance({ model }: ViewProps) {
  const post = (path: string, body: unknown, done: string) => () =>
    model.act(path, { method: 'POST', body }, done);
  return (
    <Card title={t.settings.appliance}>
      <div class="deeds">
        <div>
          <h3>{t.settings.identify}</h3>
          <p class="quiet">{t.settings.identifyWhy}</p>
          <button
            type="button"
            onClick={() => void post('identify', { seconds: 60 }, t.settings.identifyDone)()}
          >
            {t.settings.identify}
          </button>
        </div>
        <div>
          <h3>{t.settings.diagnostics}</h3>
          <p class="quiet">{t.settings.diagnosticsWhy}</p>
          <a class="button" href="/api/v1/diagnostics" download={`${facts.name}-diagnostics.gz`}>
            {t.settings.download}
          </a>
        </div>
        {model.may('admin') ? (
          <>
            <div>
              <h3>{t.settings.reboot}</h3>
              <p class="quiet">{t.settings.rebootWhy}</p>
              <Confirm
                label={t.settings.reboot}
                title={t.settings.rebootTitle}
                consequence={t.settings.rebootConsequence}
                danger
                onYes={post('reboot', undefined, t.settings.rebootDone)}
              />
            </div>
            <div>
              <h3>{t.settings.reset}</h3>
              <p class="quiet">{t.settings.resetWhy}</p>
              <Confirm
                label={t.settings.reset}
                title={t.settings.resetTitle}
                consequence={t.settings.resetConsequence}
                typed={facts.name}
                danger
                onYes={post('factory-reset', { confirm: facts.name }, t.settings.resetDone)}
              />
            </div>
          </>
        ) : null}
      </div>
    </Card>
  );
}
