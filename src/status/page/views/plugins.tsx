// Plugins with what they use against what they may use; what can be done with them; what they wrote.
import type { PluginStatus } from '../../../contracts/plugin-status.ts';
import type { Tone } from '../model/headline.ts';
import { linkTo } from '../model/route.ts';
import { ago, bytes, count, secondsBetween } from '../model/units.ts';
import type { ViewProps } from '../shell.tsx';
import { t } from '../strings.ts';
import { Meter, Spark } from '../ui/charts.tsx';
import { Empty, Facts, Head, Pill, Waiting } from '../ui/parts.tsx';
import { PluginActs } from './plugin-acts.tsx';
import { PluginInstall } from './plugin-install.tsx';
import { PluginLogs } from './plugin-logs.tsx';

export const pluginTones: Readonly<Record<PluginStatus['state'], Tone>> = {
  running: 'ok',
  discovered: 'info',
  validating: 'info',
  loading: 'info',
  starting: 'info',
  stopping: 'info',
  stopped: 'unknown',
  failed: 'bad',
  rejected: 'bad',
  blocked: 'bad',
};

export function PluginsView({ model }: ViewProps) {
  const answer = model.plugins.value;
  const chosen = answer?.plugins.find(({ name }) => name === model.route.detail);
  if (chosen !== undefined) return <PluginPage plugin={chosen} model={model} />;
  return (
    <>
      <Head
        title={t.view.plugins}
        about={answer === null ? t.unknown : t.plugin.asOf(ago(model.older(0, model.plugins)))}
      >
        {model.may('admin') ? <PluginInstall model={model} /> : null}
      </Head>
      {answer === null ? (
        <Waiting problem={model.plugins.problem} />
      ) : answer.plugins.length === 0 ? (
        <section class="card">
          <Empty title={t.plugin.none}>{t.plugin.noneWhy}</Empty>
        </section>
      ) : (
        <div class="grid">
          {answer.plugins.map((plugin) => (
            <section key={plugin.name} class="card plugin" aria-label={plugin.name}>
              <div class="card-head">
                <h2>
                  <a href={linkTo('plugins', plugin.name)}>{plugin.name}</a>
                </h2>
                <PluginPill plugin={plugin} model={model} />
              </div>
              <Why plugin={plugin} model={model} />
              <Use plugin={plugin} model={model} />
            </section>
          ))}
        </div>
      )}
    </>
  );
}

interface PluginProps extends ViewProps {
  readonly plugin: PluginStatus;
}

const PluginPill = ({ plugin, model }: PluginProps) =>
  model.stale ? (
    <Pill tone="unknown">{t.unknown}</Pill>
  ) : (
    <Pill tone={pluginTones[plugin.state]}>{t.pluginState[plugin.state]}</Pill>
  );

function Why({ plugin, model }: PluginProps) {
  const seconds = secondsBetween(plugin.since, model.plugins.value?.time ?? plugin.since);
  return (
    <>
      <p class="why">
        {plugin.version === null ? null : <code>{plugin.version}</code>} {plugin.reason}{' '}
        <span class="quiet">
          {seconds === null ? t.ageUnknown : ago(model.older(seconds, model.plugins))}
        </span>
      </p>
      {plugin.fellBack === null ? null : (
        <p class="warning">{t.plugin.fellBack(plugin.fellBack.version, plugin.fellBack.reason)}</p>
      )}
      {plugin.isolation.complete ? null : (
        <p class="warning">{t.plugin.insecure(plugin.isolation.missing.join(', '))}</p>
      )}
    </>
  );
}

function Use({ plugin, model }: PluginProps) {
  const samples = model.pluginSamples.get(plugin.name);
  const { limits, memoryBytes } = plugin;
  const cpu = samples?.cpu.last ?? null;
  const memoryText = t.plugin.ofLimit(
    memoryBytes === null ? t.unknown : bytes(memoryBytes),
    limits === null ? t.unknown : bytes(limits.memoryMaxBytes),
  );
  const cpuText = t.plugin.ofLimit(
    cpu === null ? t.unknown : `${cpu.toFixed(1)} %`,
    limits === null ? t.unknown : `${limits.cpuMaxPercent} %`,
  );
  return (
    <div class="use">
      <div>
        <p class="use-head">
          <span>{t.plugin.memory}</span> <span>{memoryText}</span>
        </p>
        <Spark
          samples={samples?.memory.all ?? []}
          limit={limits?.memoryMaxBytes ?? null}
          label={t.plugin.memoryChart}
        />
        <Meter
          value={memoryBytes}
          limit={limits?.memoryMaxBytes ?? null}
          label={`${t.plugin.memory}: ${memoryText}`}
        />
      </div>
      <div>
        <p class="use-head">
          <span>{t.plugin.cpu}</span> <span>{cpuText}</span>
        </p>
        <Spark
          samples={samples?.cpu.all ?? []}
          limit={limits?.cpuMaxPercent ?? null}
          label={t.plugin.cpuChart}
        />
        <Meter value={cpu} limit={limits?.cpuMaxPercent ?? null} label={`${t.plugin.cpu}: ${cpuText}`} />
      </div>
    </div>
  );
}

function PluginPage({ plugin, model }: PluginProps) {
  return (
    <>
      <a class="back" href={linkTo('plugins')}>
        {t.view.plugins}
      </a>
      <Head title={plugin.name} about={plugin.code ?? undefined}>
        <PluginPill plugin={plugin} model={model} />
      </Head>
      <div class="pair">
        <section class="card" aria-label={plugin.name}>
          <Why plugin={plugin} model={model} />
          <Use plugin={plugin} model={model} />
          <Facts
            rows={[
              [t.plugin.previous, plugin.previousVersion ?? t.plugin.noPrevious],
              [
                t.plugin.signedBy,
                plugin.signedBy.length === 0 ? (
                  t.unknown
                ) : (
                  <code key="keys">{plugin.signedBy.join(', ')}</code>
                ),
              ],
              [t.plugin.level, plugin.level === null ? t.unknown : t.pluginLevel[plugin.level]],
              [t.plugin.starts, count(plugin.starts)],
              [t.plugin.delivered, count(plugin.delivered)],
              [t.plugin.emitted, count(plugin.emitted)],
              [t.plugin.parked, count(plugin.parked)],
              [t.plugin.violations, count(plugin.violations)],
              [
                t.plugin.position,
                plugin.position === null ? t.unknown : <code key="id">{plugin.position}</code>,
              ],
            ]}
          />
          <PluginActs plugin={plugin} model={model} />
        </section>
        <PluginLogs name={plugin.name} model={model} />
      </div>
    </>
  );
}
