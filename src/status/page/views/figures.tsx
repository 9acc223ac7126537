// Four figures of the overview, each with what it means and the way to more. Where nothing is known now, none is shown.
import type { ComponentChildren } from 'preact';
import type { StateAnswer } from '../model/answers.ts';
import { deviceName, troubles } from '../model/device-tree.ts';
import type { Model } from '../model/model.ts';
import { linkTo } from '../model/route.ts';
import { bytes, count, duration, secondsBetween } from '../model/units.ts';
import type { ViewProps } from '../shell.tsx';
import { t } from '../strings.ts';
import { Spark } from '../ui/charts.tsx';
import { toneOfVerdict } from './verdict.tsx';

interface Figure {
  readonly value: string;
  readonly detail: string;
}

const unknown: Figure = { value: t.noFigure, detail: t.unknown };

export function Figures({ model }: ViewProps) {
  const state = model.stale ? null : model.state.value;
  return (
    <div class="figures">
      <Tile label={t.view.devices} to="devices" figure={devicesFigure(model)}>
        <Sockets model={model} />
      </Tile>
      <Tile
        label={t.overview.waiting}
        to="delivery"
        figure={state === null ? unknown : waitingFigure(state, model)}
      >
        <Spark samples={model.depth.all} limit={null} label={t.delivery.depthChart} />
      </Tile>
      <Tile
        label={t.overview.uplink}
        to="delivery"
        figure={state === null ? unknown : uplinkFigure(state, model)}
      />
      <Tile label={t.view.plugins} to="plugins" figure={state === null ? unknown : pluginsFigure(state)} />
    </div>
  );
}

interface TileProps {
  readonly label: string;
  readonly to: Parameters<typeof linkTo>[0];
  readonly figure: Figure;
  readonly children?: ComponentChildren;
}

const Tile = ({ label, to, figure: { value, detail }, children }: TileProps) => (
  <a class="figure card" href={linkTo(to)}>
    <h2>{label}</h2>
    <strong>{value}</strong>
    <p>{detail}</p>
    {children ?? null}
  </a>
);

function devicesFigure({ devices, mayRead, stale }: Model): Figure {
  if (!mayRead) return { value: t.noFigure, detail: t.loginToSee };
  if (stale || devices.value === null) return unknown;
  const { blocked, failed } = troubles(devices.value);
  return {
    value: String(devices.value.devices.length),
    detail: t.device.troubles(blocked, failed) || t.device.noneBlocked,
  };
}

function waitingFigure({ buffer }: StateAnswer, model: Model): Figure {
  const { archiveBytes, oldestAgeSeconds, queued, waiting } = buffer;
  const all = waiting + queued;
  const details = [
    oldestAgeSeconds == null || all === 0 ? null : t.delivery.oldest(duration(model.older(oldestAgeSeconds))),
    archiveBytes == null || archiveBytes === 0 ? null : t.delivery.archived(bytes(archiveBytes)),
  ];
  return { value: count(all), detail: details.filter(Boolean).join(' · ') || t.overview.nothingWaits };
}

function uplinkFigure({ uplink, time }: StateAnswer, model: Model): Figure {
  if (uplink === undefined) return unknown;
  const since = secondsBetween(uplink.since, time);
  // Never connected: there is nothing that could be away.
  if (since === null) return { value: t.noFigure, detail: uplink.detail };
  return {
    value: uplink.connected ? t.delivery.connected : t.delivery.away,
    detail: t.overview.lasting(duration(model.older(since))),
  };
}

function pluginsFigure({ plugins }: StateAnswer): Figure {
  if (plugins === undefined) return unknown;
  if (plugins.total === 0) return { value: '0', detail: t.overview.noPlugins };
  return { value: t.overview.ofTotal(plugins.running, plugins.total), detail: t.overview.pluginsRunning };
}

/** The bus in miniature; the tile says the same in words. */
const Sockets = ({ model }: ViewProps) => (
  <span class="sockets" aria-hidden="true">
    {(model.devices.value?.devices ?? []).slice(0, 40).map((device) => (
      <i
        key={device.port}
        class={`socket ${model.stale ? 'unknown' : toneOfVerdict(device)}`}
        title={`${device.port} ${deviceName(device) ?? ''}`}
      />
    ))}
  </span>
);
