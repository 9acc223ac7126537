// From the appliance to the broker: the connection, what waits for it, how old the oldest of it is, where it is kept.

import { partTones } from '../model/headline.ts';
import { bytes, count, duration, instant, secondsBetween } from '../model/units.ts';
import type { ViewProps } from '../shell.tsx';
import { t } from '../strings.ts';
import { Spark } from '../ui/charts.tsx';
import { Age, Card, Facts, Head, Pill, Waiting } from '../ui/parts.tsx';

export function DeliveryView({ model }: ViewProps) {
  const state = model.state.value;
  if (state === null)
    return (
      <>
        <Head title={t.view.delivery} />
        <Waiting problem={model.state.problem} />
      </>
    );
  return (
    <>
      <Head
        title={t.view.delivery}
        about={
          <>
            {t.overview.confirmed} <Age seconds={model.silentSeconds} stale={model.stale} />
          </>
        }
      />
      <div class="pair">
        <UplinkCard model={model} />
        <BufferCard model={model} />
      </div>
      <Receivers model={model} />
    </>
  );
}

function UplinkCard({ model }: ViewProps) {
  const state = model.state.value;
  const uplink = state?.uplink;
  if (state === null || uplink === undefined) return <Card title={t.overview.uplink}>{t.unknown}</Card>;
  const seconds = secondsBetween(uplink.since, state.time);
  return (
    <Card title={t.overview.uplink}>
      <p class="big-figure">
        {model.stale ? (
          <Pill tone="unknown">{t.unknown}</Pill>
        ) : (
          <Pill tone={uplink.connected ? 'ok' : 'warn'}>
            {uplink.connected ? t.delivery.connected : t.delivery.away}
          </Pill>
        )}
      </p>
      <p>{uplink.detail}</p>
      <Facts
        rows={[
          [t.delivery.since, uplink.since === null ? t.unknown : instant(uplink.since)],
          [t.delivery.lasting, seconds === null ? t.unknown : duration(model.older(seconds))],
          [
            t.delivery.lastEvent,
            state.lastEventId == null ? t.unknown : <code key="id">{state.lastEventId}</code>,
          ],
        ]}
      />
    </Card>
  );
}

function BufferCard({ model }: ViewProps) {
  const buffer = model.state.value?.buffer;
  if (buffer === undefined) return null;
  const optional = (value: number | null | undefined, show: (value: number) => string) =>
    value === null || value === undefined ? t.unknown : show(value);
  return (
    <Card title={t.delivery.buffer}>
      <p class="big-figure">
        <strong>{model.stale ? t.noFigure : count(buffer.waiting)}</strong> <span>{t.delivery.waiting}</span>
      </p>
      <Spark samples={model.depth.all} limit={null} label={t.delivery.depthChart} />
      <p class="quiet small">{t.delivery.chartSince(duration(chartSeconds(model)))}</p>
      <Facts
        rows={[
          [
            t.delivery.oldestAge,
            buffer.oldestAgeSeconds == null
              ? buffer.waiting === 0
                ? t.overview.nothingWaits
                : t.unknown
              : duration(model.older(buffer.oldestAgeSeconds)),
          ],
          [t.delivery.queued, count(buffer.queued)],
          [t.delivery.inRedis, optional(buffer.bytes, bytes)],
          [t.delivery.inArchive, optional(buffer.archiveBytes, bytes)],
          [t.delivery.archivedEvents, optional(buffer.archivedEvents, count)],
        ]}
      />
    </Card>
  );
}

const chartSeconds = ({ depth, nowMs }: ViewProps['model']) =>
  (nowMs - (depth.all[0]?.atMs ?? nowMs)) / 1_000;

/** The broker and every webhook report for themselves. */
function Receivers({ model }: ViewProps) {
  const parts = Object.entries(model.state.value?.health.parts ?? {}).filter(([name]) =>
    /^(uplink|webhook|redis|buffer|archive)/.test(name),
  );
  if (parts.length === 0) return null;
  return (
    <Card title={t.delivery.receivers}>
      <ul class="parts">
        {parts.map(([name, part]) => (
          <li key={name}>
            <Pill tone={model.stale ? 'unknown' : partTones[part.state]}>
              {t.health[model.stale ? 'unknown' : part.state]}
            </Pill>
            <div>
              <strong>{t.part(name)}</strong>
              <p>{part.why}</p>
            </div>
            <Age seconds={model.older(part.ageSeconds)} stale={model.stale} />
          </li>
        ))}
      </ul>
    </Card>
  );
}
