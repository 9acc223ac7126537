// What a plugin wrote, newest last as in any log, followed while the view is open.
import type { PluginLogsAnswer } from '../model/answers.ts';
import { ago, instant } from '../model/units.ts';
import type { ViewProps } from '../shell.tsx';
import { t } from '../strings.ts';
import { Card, Empty, Waiting } from '../ui/parts.tsx';
import { useAnswer } from '../ui/use-answer.ts';

export function PluginLogs({ name, model }: ViewProps & { readonly name: string }) {
  const kept = useAnswer<PluginLogsAnswer>(model, `plugins/${encodeURIComponent(name)}/logs`, 3_000);
  const lines = kept.value?.lines;
  return (
    <Card title={t.view.logs} aside={lines === undefined ? undefined : ago(model.older(0, kept))}>
      {lines === undefined ? (
        <Waiting problem={kept.problem} />
      ) : lines.length === 0 ? (
        <Empty title={t.logs.none} />
      ) : (
        <ol class="log" tabIndex={0} aria-label={t.view.logs}>
          {lines
            .slice(-200)
            .toReversed()
            .map(({ time, level, from, text }, index) => (
              <li key={`${time}-${index}`} class={level}>
                <time dateTime={time}>{instant(time)}</time>
                <b>{from === 'plugin' ? level : from}</b>
                <span>{text}</span>
              </li>
            ))}
        </ol>
      )}
    </Card>
  );
}
