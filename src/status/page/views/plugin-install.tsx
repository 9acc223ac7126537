// A bundle and its signature from this computer -> the appliance, which verifies before it looks at anything else.
import { useState } from 'preact/hooks';
import type { ViewProps } from '../shell.tsx';
import { t } from '../strings.ts';
import { Card } from '../ui/parts.tsx';

export function PluginInstall({ model }: ViewProps) {
  const [open, setOpen] = useState(false);
  const [busy, setBusy] = useState(false);
  const send = async (event: Event) => {
    event.preventDefault();
    const data = new FormData(event.currentTarget as HTMLFormElement);
    const [bundle, signature] = [data.get('bundle'), data.get('signature')];
    if (!(bundle instanceof File) || !(signature instanceof File)) return;
    setBusy(true);
    const body = {
      bundle: base64(new Uint8Array(await bundle.arrayBuffer())),
      signature: await signature.text(),
    };
    const answer = await model.act(
      'plugins',
      { method: 'POST', body, timeoutMs: 120_000 },
      t.plugin.installed,
    );
    setBusy(false);
    if (answer.ok) setOpen(false);
  };
  if (!open)
    return (
      <button type="button" onClick={() => setOpen(true)}>
        {t.plugin.install}
      </button>
    );
  return (
    <Card title={t.plugin.install}>
      <form class="form" onSubmit={(event) => void send(event)}>
        <label class="field">
          <span>{t.plugin.bundleFile}</span>
          <input type="file" name="bundle" accept=".awp" required />
        </label>
        <label class="field">
          <span>{t.plugin.signatureFile}</span>
          <input type="file" name="signature" accept=".minisig" required />
        </label>
        <div class="acts">
          <button type="submit" class="solid" disabled={busy}>
            {t.plugin.install}
          </button>
          <button type="button" onClick={() => setOpen(false)}>
            {t.cancel}
          </button>
        </div>
      </form>
    </Card>
  );
}

function base64(bytes: Uint8Array): string {
  let text = '';
  // As many as can be arguments of one call.
  for (let at = 0; at < bytes.length; at += 8_192)
    text += String.fromCharCode(...bytes.subarray(at, at + 8_192));
  return btoa(text);
}
