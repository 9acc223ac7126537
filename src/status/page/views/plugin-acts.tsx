// What an operator can do with one plugin, and an administrator besides.
import type { PluginStatus } from '../../../contracts/plugin-status.ts';
import { linkTo } from '../model/route.ts';
import type { ViewProps } from '../shell.tsx';
import { t } from '../strings.ts';
import { Confirm } from '../ui/confirm.tsx';

export function PluginActs({ plugin, model }: ViewProps & { readonly plugin: PluginStatus }) {
  const { name, enabled, previousVersion } = plugin;
  if (!model.may('operator'))
    return <p class="quiet">{model.session.value?.user == null ? t.loginToAct : t.roleTooLow}</p>;
  const act = (what: keyof typeof t.plugin.done) => () =>
    model.act(`plugins/${encodeURIComponent(name)}/${what}`, { method: 'POST' }, t.plugin.done[what]);
  const remove = async () => {
    const answer = await model.act(
      `plugins/${encodeURIComponent(name)}`,
      { method: 'DELETE' },
      t.plugin.removed,
    );
    if (answer.ok) location.hash = linkTo('plugins');
  };
  return (
    <div class="acts">
      <button type="button" onClick={() => void act('restart')()} disabled={!enabled}>
        {t.plugin.restart}
      </button>
      <Confirm
        label={t.plugin.rollback}
        title={t.plugin.rollbackTitle(name, previousVersion ?? '')}
        consequence={t.plugin.rollbackWhy}
        disabled={previousVersion === null}
        onYes={act('rollback')}
      />
      {enabled ? (
        <Confirm
          label={t.plugin.disable}
          title={t.plugin.disableTitle(name)}
          consequence={t.plugin.disableWhy}
          onYes={act('disable')}
        />
      ) : (
        <button type="button" onClick={() => void act('enable')()}>
          {t.plugin.enable}
        </button>
      )}
      {model.may('admin') ? (
        <Confirm
          label={t.plugin.remove}
          title={t.plugin.removeTitle(name)}
          consequence={t.plugin.removeWhy}
          danger
          onYes={remove}
        />
      ) : null}
    </div>
  );
}
