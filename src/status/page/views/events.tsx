// Events as they come: filter by kind and by word, pause, and read back into what the appliance still keeps.
import { useRef, useState } from 'preact/hooks';
import type { HistoryAnswer } from '../model/answers.ts';
import { type FeedRow, joinOlder, type OlderRows } from '../model/join-older.ts';
import { count, duration } from '../model/units.ts';
import type { ViewProps } from '../shell.tsx';
import { t } from '../strings.ts';
import { Icon } from '../ui/mark.tsx';
import { Empty, Head, PageButton } from '../ui/parts.tsx';
import { EventRow } from './event-row.tsx';

const kinds = ['usb.', 'plugin.', 'security.', 'buffer.', 'uplink.', 'ota.', 'system.'] as const;

export function EventsView({ model }: ViewProps) {
  const { feed } = model;
  const [kind, setKind] = useState('');
  const [word, setWord] = useState('');
  const [older, setOlder] = useState<OlderRows | null>(null);
  const [reading, setReading] = useState(false);
  /** The one question whose answer is still wanted. */
  const asked = useRef<object | null>(null);
  const { rows, kept, before } = joinOlder(feed.rows, older);
  const shown = rows.filter((row) => matches(row, kind, word.trim().toLowerCase()));

  const readOlder = async () => {
    if (before === null) return;
    const question = {};
    asked.current = question;
    setReading(true);
    const type = kind === '' ? '' : `&type=${encodeURIComponent(kind)}`;
    const answer = await model.read<HistoryAnswer>(
      `events/history?before=${encodeURIComponent(before)}&limit=100${type}`,
    );
    if (asked.current !== question) return;
    setReading(false);
    if (!answer.ok) {
      model.say(answer.problem.detail, 'bad');
      return;
    }
    const { events, next } = answer.value;
    const page = events.map((event) => ({ key: `old-${event.id}`, event, notice: null }));
    setOlder({ below: kept?.below ?? before, rows: [...(kept?.rows ?? []), ...page], next });
  };
  const choose = (name: string) => {
    asked.current = null;
    setReading(false);
    setKind(name === kind ? '' : name);
    setOlder(null);
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
      {before === null ? null : (
        <div class="acts center">
          <PageButton reading={reading} onPress={() => void readOlder()}>
            {t.events.older}
          </PageButton>
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
