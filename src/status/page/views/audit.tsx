// Who did what, from where, and what came of it; newest first, further back on demand.
import { useState } from 'preact/hooks';
import type { AuditAnswer } from '../model/answers.ts';
import { ago, instant } from '../model/units.ts';
import type { ViewProps } from '../shell.tsx';
import { t } from '../strings.ts';
import { Empty, Head, PageButton, Pill, Waiting } from '../ui/parts.tsx';
import { useAnswer } from '../ui/use-answer.ts';

export function AuditView({ model }: ViewProps) {
  const [before, setBefore] = useState<readonly (string | number)[]>([]);
  const from = before.at(-1);
  const kept = useAnswer<AuditAnswer>(
    model,
    `audit?limit=100${from === undefined ? '' : `&before=${encodeURIComponent(from)}`}`,
  );
  const { entries, next } = kept.value ?? { entries: [], next: null };
  return (
    <>
      <Head
        title={t.view.audit}
        about={kept.value === null ? t.unknown : t.logs.asOf(ago(model.older(0, kept)))}
      />
      <section class="card">
        {kept.value === null ? (
          <Waiting problem={kept.problem} />
        ) : entries.length === 0 ? (
          <Empty title={t.audit.none} />
        ) : (
          <ol class="audit" aria-label={t.events.newestFirst}>
            {entries.map(({ n, at, who, role, from: address, act, outcome, detail }) => (
              <li key={n}>
                <time dateTime={at}>{instant(at)}</time>
                <Pill tone={outcome === 'done' ? 'ok' : 'bad'}>{t.audit.outcome(outcome)}</Pill>
                <span class="by">
                  <strong>{who === 'nobody' ? t.audit.nobody : who}</strong>{' '}
                  <small class="quiet">{who === 'nobody' ? '' : role}</small>
                </span>
                <span class="deed">
                  {detail === '' ? null : <span>{detail}</span>} <code>{act}</code>
                </span>
                <small class="quiet">{t.audit.from(address)}</small>
              </li>
            ))}
          </ol>
        )}
      </section>
      <div class="acts center">
        {from === undefined ? null : (
          <PageButton reading={kept.reading} onPress={() => setBefore(before.slice(0, -1))}>
            {t.audit.newer}
          </PageButton>
        )}
        {next === null ? null : (
          <PageButton reading={kept.reading} onPress={() => setBefore([...before, next])}>
            {t.events.older}
          </PageButton>
        )}
      </div>
    </>
  );
}
