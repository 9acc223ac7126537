// The appliance's own log: level, part, text; followed unless stopped.
import { useState } from 'preact/hooks';
import type { LogsAnswer } from '../model/answers.ts';
import { ago, instant } from '../model/units.ts';
import type { ViewProps } from '../shell.tsx';
import { t } from '../strings.ts';
import { Icon } from '../ui/mark.tsx';
import { Empty, Head, Waiting } from '../ui/parts.tsx';
import { useAnswer } from '../ui/use-answer.ts';

const levels = ['debug', 'info', 'warn', 'error'] as const;

export function LogsView({ model }: ViewProps) {
  const [level, setLevel] = useState<string>('info');
  const [word, setWord] = useState('');
  const [follow, setFollow] = useState(true);
  const kept = useAnswer<LogsAnswer>(model, `logs?level=${level}&limit=300`, follow ? 3_000 : null);
  const wanted = word.trim().toLowerCase();
  const lines = (kept.value?.lines ?? []).filter(({ part, text }) =>
    `${part ?? ''} ${text}`.toLowerCase().includes(wanted),
  );
  return (
    <>
      <Head
        title={t.view.logs}
        about={kept.value === null ? t.unknown : t.logs.asOf(ago(model.older(0, kept)))}
      >
        <button
          type="button"
          class={follow ? 'pause' : 'solid pause'}
          aria-pressed={!follow}
          onClick={() => setFollow(!follow)}
        >
          <Icon name={follow ? 'pause' : 'play'} />
          <span>{follow ? t.logs.stop : t.logs.follow}</span>
        </button>
      </Head>
      <div class="filters">
        <div class="chips" role="group" aria-label={t.logs.level}>
          {levels.map((name) => (
            <button
              key={name}
              type="button"
              class="chip"
              aria-pressed={level === name}
              onClick={() => setLevel(name)}
            >
              {t.logs.levels[name]}
            </button>
          ))}
        </div>
        <input
          type="search"
          value={word}
          placeholder={t.logs.search}
          aria-label={t.logs.search}
          onInput={({ currentTarget }) => setWord(currentTarget.value)}
        />
      </div>
      <section class="card">
        {kept.value === null ? (
          <Waiting problem={kept.problem} />
        ) : lines.length === 0 ? (
          <Empty title={t.logs.none} />
        ) : (
          <ol class="log tall" tabIndex={0} aria-label={t.logs.newestFirst}>
            {newestFirst(lines).map(({ time, level: each, part, text }, index) => (
              <li key={`${time}-${index}`} class={each}>
                <time dateTime={time}>{instant(time)}</time>
                <b>{each}</b>
                <i>{part ?? ''}</i>
                <span>{text}</span>
              </li>
            ))}
          </ol>
        )}
      </section>
    </>
  );
}

const newestFirst = (lines: LogsAnswer['lines']) =>
  lines.toSorted((one, other) => other.time.localeCompare(one.time));
