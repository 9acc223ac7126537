// Who did what, from where, and what came of it; newest first, further back on demand.
import { useState } from 'preact/hooks';
import type { AuditAnswer } from '../model/answers.ts';
import { ago, instant } from '../model/units.ts';
import type { ViewProps } from '../shell.tsx';
import { t } from '../strings.ts';
import { Empty, Head, Waiting } from '../ui/parts.tsx';
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
      <section class="card scroll" tabIndex={0} aria-label={t.view.audit}>
        {kept.value === null ? (
          <Waiting problem={kept.problem} />
        ) : entries.length === 0 ? (
          <Empty title={t.audit.none} />
        ) : (
          <table>
            <thead>
              <tr>
                {[t.audit.at, t.audit.who, t.audit.act, t.audit.outcome, t.audit.from].map((name) => (
                  <th key={name} scope="col">
                    {name}
                  </th>
                ))}
              </tr>
            </thead>
            <tbody>
              {entries.map(({ at, who, role, from: address, act, outcome, detail }, index) => (
                <tr key={`${at}-${index}`}>
                  <td>
                    <time dateTime={at}>{instant(at)}</time>
                  </td>
                  <td>
                    {who ?? t.audit.nobody} <small class="quiet">{role ?? ''}</small>
                  </td>
                  <td>
                    <code>{act}</code> <small class="quiet">{detail ?? ''}</small>
                  </td>
                  <td class={/^(ok|done|allowed|success)/.test(outcome) ? '' : 'refused'}>{outcome}</td>
                  <td>
                    <code>{address ?? ''}</code>
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        )}
      </section>
      <div class="acts center">
        {from === undefined ? null : (
          <button type="button" onClick={() => setBefore(before.slice(0, -1))}>
            {t.audit.newer}
          </button>
        )}
        {next === null ? null : (
          <button type="button" onClick={() => setBefore([...before, next])}>
            {t.events.older}
          </button>
        )}
      </div>
    </>
  );
}
