// A form that asks the appliance for something: fields, one button, and the refusal in words where it was asked.
import type { ComponentChildren } from 'preact';
import { useId, useState } from 'preact/hooks';
import type { Answered, Problem } from '../model/ask.ts';
import { ProblemBox } from './parts.tsx';

export type Values = Readonly<Record<string, string>>;

interface FieldProps {
  readonly name: string;
  readonly label: string;
  readonly hint?: string;
  readonly type?: 'text' | 'password' | 'url';
  readonly value?: string;
  readonly required?: boolean;
  readonly pattern?: string;
  readonly minLength?: number;
  readonly autocomplete?: string;
  readonly mono?: boolean;
  readonly numeric?: boolean;
  /** For what takes the place of the field that had the focus. */
  readonly focused?: boolean;
}

const takeFocus = (input: HTMLInputElement | null) => input?.focus();

export function Field({
  name,
  label,
  hint,
  type = 'text',
  value,
  required = true,
  pattern,
  minLength,
  autocomplete = 'off',
  mono,
  numeric,
  focused,
}: FieldProps) {
  const id = useId();
  return (
    <label class="field">
      <span>{label}</span>
      <input
        name={name}
        type={type as 'text'}
        defaultValue={value ?? ''}
        required={required}
        maxLength={1_024}
        autocapitalize="off"
        spellcheck={false}
        autocomplete={autocomplete as 'off'}
        class={mono === true ? 'mono' : ''}
        {...(pattern === undefined ? {} : { pattern })}
        {...(minLength === undefined ? {} : { minLength })}
        {...(numeric === true ? { inputMode: 'numeric' as const } : {})}
        {...(focused === true ? { ref: takeFocus } : {})}
        {...(hint === undefined ? {} : { 'aria-describedby': id, title: hint })}
      />
      {hint === undefined ? null : (
        <small id={id} class="quiet">
          {hint}
        </small>
      )}
    </label>
  );
}

interface FormProps<T> {
  readonly button: string;
  readonly children: ComponentChildren;
  readonly danger?: boolean;
  send(values: Values): Promise<Answered<T>>;
  done?(value: T): void;
}

export function Form<T>({ button, children, danger, send, done }: FormProps<T>) {
  const [problem, setProblem] = useState<Problem | null>(null);
  const [busy, setBusy] = useState(false);
  const submit = async (event: SubmitEvent) => {
    event.preventDefault();
    const form = event.currentTarget as HTMLFormElement;
    setBusy(true);
    const answer = await send(
      Object.fromEntries([...new FormData(form)].map(([key, value]) => [key, String(value)])),
    );
    setBusy(false);
    setProblem(answer.ok ? null : answer.problem);
    if (!answer.ok) return;
    form.reset();
    done?.(answer.value);
  };
  return (
    <form class="form" onSubmit={(event) => void submit(event as unknown as SubmitEvent)}>
      {children}
      {problem === null ? null : <ProblemBox problem={problem} />}
      <div class="acts">
        <button type="submit" class={danger === true ? 'danger solid' : 'solid'} disabled={busy}>
          {button}
        </button>
      </div>
    </form>
  );
}
