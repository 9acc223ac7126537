// A question before an act that is not easily taken back: a modal dialog with the consequence in words.
import type { ComponentChildren } from 'preact';
import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks';
import { t } from '../strings.ts';

interface ConfirmProps {
  /** On the button that opens the question. */
  readonly label: string;
  readonly title: string;
  readonly consequence: string;
  readonly danger?: boolean;
  /** Must be typed in as it is. */
  readonly typed?: string;
  readonly reasonLabel?: string;
  readonly disabled?: boolean;
  readonly children?: ComponentChildren;
  onYes(reason: string): Promise<unknown>;
}

export function Confirm({
  label,
  title,
  consequence,
  danger,
  typed,
  reasonLabel,
  disabled,
  onYes,
}: ConfirmProps) {
  const [open, setOpen] = useState(false);
  const [text, setText] = useState('');
  const [busy, setBusy] = useState(false);
  const dialog = useRef<HTMLDialogElement>(null);
  const opener = useRef<HTMLButtonElement>(null);
  // Closed, and not just taken away: the browser gives the focus back to the button that opened it.
  const close = () => dialog.current?.close();
  const leave = () => {
    close();
    // The button goes with what it removed.
    if (document.activeElement === opener.current)
      document.getElementById('main')?.focus({ preventScroll: true });
  };
  useEffect(() => {
    if (open) dialog.current?.showModal();
    else setText('');
  }, [open]);
  useLayoutEffect(() => leave, []);
  const yes = async (event: Event) => {
    event.preventDefault();
    setBusy(true);
    await onYes(text);
    setBusy(false);
    close();
  };
  const kind = danger === true ? 'danger' : '';
  return (
    <>
      <button
        ref={opener}
        type="button"
        class={kind}
        disabled={disabled === true}
        onClick={() => setOpen(true)}
      >
        {label}
      </button>
      {open ? (
        <dialog ref={dialog} onClose={() => setOpen(false)} aria-label={title}>
          <form onSubmit={(event) => void yes(event)}>
            <h2>{title}</h2>
            <p>{consequence}</p>
            {typed === undefined && reasonLabel === undefined ? null : (
              <label class="field">
                <span>{typed === undefined ? reasonLabel : t.typeToConfirm(typed)}</span>
                <input
                  value={text}
                  onInput={({ currentTarget }) => setText(currentTarget.value)}
                  maxLength={200}
                  autocomplete="off"
                />
              </label>
            )}
            <div class="acts end">
              <button type="button" onClick={close}>
                {t.cancel}
              </button>
              <button
                type="submit"
                class={danger === true ? 'danger solid' : 'solid'}
                disabled={busy || (typed !== undefined && text !== typed)}
              >
                {label}
              </button>
            </div>
          </form>
        </dialog>
      ) : null}
    </>
  );
}
