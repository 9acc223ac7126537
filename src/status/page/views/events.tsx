// Events as they come: filter by kind and by word, pause, and read back into what the appliance still keeps.
import { useState } from 'preact/hooks';
import type { HistoryAnswer } from '../model/answers.ts';
import type { FeedRow } from '../model/event-feed.ts';
import { count, duration } from '../model/units.ts';
import type { ViewProps } from '../shell.tsx';
import { t } from '../strings.ts';
import { Icon } from '../ui/mark.tsx';
import { Empty, Head } from '../ui/parts.tsx';
import { EventRow } from './event-row.tsx';

const kinds = ['usb.', 'plugin.', 'security.', 'buffer.', 'uplink.', 'ota.', 'system.'] as const;

export function EventsView({ model }: ViewProps) {
  const { feed } = model;
  const [kind, setKind] = useState('');
  const [word, setWord] = useState('');
  const [older, setOlder] = useState<readonly FeedRow[]>([]);
  const [next, setNext] = useState<string | null | undefined>(undefined);
  const [reading, setReading] = useState(false);
  const shown = [...feed.rows, ...older].filter((row) => matches(row, kind, word.trim().toLowerCase()));

  const readOlder = async () => {
    const last = [...feed.rows, ...older].findLast(({ event }) => event !== null)?.event?.id;
    const before = next ?? last;
    if (before === undefined) return;
    setReading(true);
    const type = kind === '' ? '' : `&type=${encodeURIComponent(kind)}`;
    const answer = await model.read<HistoryAnswer>(
      `events/history?before=${encodeURIComponent(before)}&limit=100${type}`,
    );
    setReading(false);
    if (!answer.ok) {
      model.say(answer.problem.detail, 'bad');
      return;
    }
    setOlder([
      ...older,
      ...answer.value.events.map((event) => ({ key: `old-${event.id}`, event, notice: null })),
    ]);
    setNext(answer.value.next);
  };
  const choose = (name: string) => {
    setKind(name === kind ? '' : name);
    setOlder([]);
    setNext(undefined);
  };

  return (
    <>
      <Head
        title={t.view.events}
        about={
          <>
            {t.events.feed[feed.state](duration((model.nowMs - feed.stateSinceMs) / 1_000))} ·{' '}
            {t.events.rate(feed.perSecond(model.nowMs))} · {t.events.total(count(feed.total))}
          </>
        }
      >
        <button
          type="button"
          class={feed.paused ? 'solid pause' : 'pause'}
          aria-pressed={feed.paused}
          onClick={() => feed.setPaused(!feed.paused)}
        >
          <Icon name={feed.paused ? 'play' : 'pause'} />
          <span>{feed.paused ? t.events.resume(feed.heldBack) : t.events.pause}</span>
        </button>
      </Head>
      <div class="filters">
        <div class="chips" role="group" aria-label={t.events.filter}>
          {kinds.map((name) => (
            <button
              key={name}
              type="button"
              class="chip"
              aria-pressed={kind === name}
              onClick={() => choose(name)}
            >
              {t.kind[name]}
            </button>
          ))}
        </div>
        <input
          type="search"
          value={word}
          placeholder={t.events.search}
          aria-label={t.events.search}
          onInput={({ currentTarget }) => setWord(currentTarget.value)}
        />
      </div>
      {shown.length === 0 ? (
        <section class="card">
          {feed.rows.length === 0 ? (
            <Empty title={t.events.none}>{t.events.noneWhy}</Empty>
          ) : (
            <Empty title={t.events.noMatch}>{t.events.noMatchWhy}</Empty>
          )}
        </section>
      ) : (
        <ol class="events card" aria-label={t.events.newestFirst}>
          {shown.map((row) => (
            <EventRow key={row.key} row={row} />
          ))}
        </ol>
      )}
      {feed.rows.length === 0 || next === null ? null : (
        <div class="acts center">
          <button type="button" disabled={reading} onClick={() => void readOlder()}>
            {t.events.older}
          </button>
        </div>
      )}
    </>
  );
}

function matches({ event, notice }: FeedRow, kind: string, word: string): boolean {
  // That something is missing is told under every filter.
  if (event === null) return true;
  if (!event.type.startsWith(kind)) return false;
  return (
    word === '' ||
    `${event.type} ${event.id} ${notice ?? ''} ${JSON.stringify(event.data)} ${event.subject}`
      .toLowerCase()
      .includes(word)
  );
}
