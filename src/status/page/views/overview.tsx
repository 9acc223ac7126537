// The appliance at a glance, readable from three metres: one state, the reason in words, its age; then what it rests on.
import type { HealthReport } from '../../../contracts/health.ts';
import { partTones, toHeadline } from '../model/headline.ts';
import type { Model } from '../model/model.ts';
import { linkTo } from '../model/route.ts';
import { duration } from '../model/units.ts';
import type { ViewProps } from '../shell.tsx';
import { t } from '../strings.ts';
import { Mark } from '../ui/mark.tsx';
import { Age, Card, Empty, Waiting } from '../ui/parts.tsx';
import { EventRow } from './event-row.tsx';
import { Figures } from './figures.tsx';

export function OverviewView({ model }: ViewProps) {
  const { session, state } = model;
  // Nothing that the first answers would push aside a moment later.
  if ([session, state].some(({ problem, value }) => value === null && problem === null))
    return <Waiting problem={null} />;
  return (
    <div class="overview">
      <Hero model={model} />
      <Figures model={model} />
      <Parts model={model} />
      <Recent model={model} />
    </div>
  );
}

function Hero({ model }: ViewProps) {
  const { tone, title, reason, forSeconds } = toHeadline(model.state.value, model);
  return (
    <section class={`hero ${tone}`} aria-label={t.overview.state}>
      <Mark tone={tone} />
      <div>
        <div role="status">
          <h1>{title}</h1>
          <p class="reason">{reason}</p>
        </div>
        <p class="since">
          {forSeconds === null ? null : <span>{t.overview.lasting(duration(forSeconds))}</span>}
          {model.state.value === null || model.stale ? null : (
            <span>
              {t.overview.confirmed} <Age seconds={model.silentSeconds} />
            </span>
          )}
          {model.state.value?.clock === 'unsynced' ? <span>{t.clockUnsynced}</span> : null}
        </p>
      </div>
    </section>
  );
}

function Parts({ model }: ViewProps) {
  const state = model.state.value;
  return (
    <Card
      title={t.overview.parts}
      aside={
        state === null
          ? undefined
          : t.overview.uptime(
              state.uptimeSeconds === undefined ? t.unknown : duration(model.older(state.uptimeSeconds)),
            )
      }
    >
      {state === null ? (
        <Waiting problem={model.state.problem} />
      ) : (
        <ul class="parts columns">
          {worstFirst(state.health.parts).map(([name, part]) => {
            const tone = model.stale ? 'unknown' : partTones[part.state];
            return (
              <li key={name}>
                <Mark tone={tone} label={t.health[model.stale ? 'unknown' : part.state]} />
                <div>
                  <strong>{t.part(name)}</strong>
                  <p>{part.why}</p>
                </div>
                <Age seconds={model.older(part.ageSeconds)} stale={model.stale} />
              </li>
            );
          })}
        </ul>
      )}
    </Card>
  );
}

const order = { down: 0, degraded: 1, unknown: 2, ok: 3 } as const;
const worstFirst = (parts: HealthReport['parts']) =>
  Object.entries(parts).sort(([, one], [, other]) => order[one.state] - order[other.state]);

function Recent({ model }: ViewProps) {
  const { feed } = model;
  return (
    <Card
      title={t.overview.recent}
      aside={model.mayRead ? t.events.rate(feed.perSecond(model.nowMs)) : undefined}
    >
      {!model.mayRead ? (
        <Empty title={t.loginToSee}>
          <a href={linkTo('login')}>{t.view.login}</a>
        </Empty>
      ) : feed.rows.length === 0 ? (
        <Empty title={t.events.none}>{t.events.noneWhy}</Empty>
      ) : (
        <ol class="events brief">
          {feed.rows.slice(0, 9).map((row) => (
            <EventRow key={row.key} row={row} brief />
          ))}
        </ol>
      )}
      {state(model)}
    </Card>
  );
}

const state = ({ feed, mayRead, nowMs }: Model) =>
  !mayRead || feed.state === 'open' ? null : (
    <p class="quiet">{t.events.feed[feed.state](duration((nowMs - feed.stateSinceMs) / 1_000))}</p>
  );
