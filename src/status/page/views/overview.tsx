// The appliance at a glance, readable from three metres: one state, the reason in words, its age; then what it rests on.
import type { ComponentChildren } from 'preact';
import type { HealthReport } from '../../../contracts/health.ts';
import { deviceName } from '../model/device-tree.ts';
import { partTones, toHeadline } from '../model/headline.ts';
import type { Model } from '../model/model.ts';
import { linkTo } from '../model/route.ts';
import { bytes, count, duration, secondsBetween } from '../model/units.ts';
import type { ViewProps } from '../shell.tsx';
import { t } from '../strings.ts';
import { Spark } from '../ui/charts.tsx';
import { Mark } from '../ui/mark.tsx';
import { Age, Card, Empty, Waiting } from '../ui/parts.tsx';
import { EventRow } from './event-row.tsx';
import { toneOfVerdict } from './verdict.tsx';

export function OverviewView({ model }: ViewProps) {
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
      <div role="status">
        <h1>{title}</h1>
        <p class="reason">{reason}</p>
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

interface FigureProps {
  readonly label: string;
  readonly to: Parameters<typeof linkTo>[0];
  readonly value: string;
  readonly detail: ComponentChildren;
  readonly chart?: ComponentChildren;
}

const Figure = ({ label, to, value, detail, chart }: FigureProps) => (
  <a class="figure card" href={linkTo(to)}>
    <h2>{label}</h2>
    <strong>{value}</strong>
    <p>{detail}</p>
    {chart ?? null}
  </a>
);

function Figures({ model }: ViewProps) {
  const state = model.state.value;
  const known = state !== null && !model.stale;
  const waiting = state === null ? null : state.buffer.waiting + state.buffer.queued;
  const { uplink, plugins } = state ?? {};
  const since = uplink === undefined || state === null ? null : secondsBetween(uplink.since, state.time);
  return (
    <div class="figures">
      <DevicesFigure model={model} />
      <Figure
        label={t.overview.waiting}
        to="delivery"
        value={!known || waiting === null ? t.noFigure : count(waiting)}
        detail={state === null ? t.unknown : oldest(model)}
        chart={<Spark samples={model.depth.all} limit={null} label={t.delivery.depthChart} />}
      />
      <Figure
        label={t.overview.uplink}
        to="delivery"
        value={
          !known || uplink === undefined
            ? t.noFigure
            : uplink.connected
              ? t.delivery.connected
              : t.delivery.away
        }
        detail={
          since === null ? (uplink?.detail ?? t.unknown) : t.overview.lasting(duration(model.older(since)))
        }
      />
      <Figure
        label={t.view.plugins}
        to="plugins"
        value={
          !known || plugins === undefined
            ? t.noFigure
            : plugins.total === 0
              ? '0'
              : t.overview.ofTotal(plugins.running, plugins.total)
        }
        detail={
          plugins === undefined
            ? t.unknown
            : plugins.total === 0
              ? t.overview.noPlugins
              : t.overview.pluginsRunning
        }
      />
    </div>
  );
}

function oldest(model: Model): string {
  const { oldestAgeSeconds, archiveBytes } = model.state.value?.buffer ?? {};
  const age =
    oldestAgeSeconds === null || oldestAgeSeconds === undefined
      ? null
      : t.delivery.oldest(duration(model.older(oldestAgeSeconds)));
  const archived =
    archiveBytes === null || archiveBytes === undefined || archiveBytes === 0
      ? null
      : t.delivery.archived(bytes(archiveBytes));
  return [age, archived].filter(Boolean).join(' · ') || t.overview.nothingWaits;
}

function DevicesFigure({ model }: ViewProps) {
  const answer = model.devices.value;
  const devices = answer?.devices ?? [];
  const blocked = devices.filter(
    ({ verdict }) => verdict?.target === 'block' || verdict?.target === 'reject',
  ).length;
  const detail = !model.mayRead
    ? t.loginToSee
    : answer === null
      ? t.unknown
      : blocked > 0
        ? t.device.blockedCount(blocked)
        : t.device.noneBlocked;
  const sockets = devices
    .slice(0, 40)
    .map((device) => (
      <i
        key={device.port}
        class={`socket ${toneOfVerdict(device)}`}
        title={`${device.port} ${deviceName(device) ?? ''}`}
      />
    ));
  return (
    <Figure
      label={t.view.devices}
      to="devices"
      value={answer === null || model.stale ? t.noFigure : String(devices.length)}
      detail={detail}
      chart={
        <span class="sockets" aria-hidden="true">
          {sockets}
        </span>
      }
    />
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
