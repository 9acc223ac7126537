// The small parts that views are put together from.
import type { ComponentChildren } from 'preact';
import type { Problem } from '../model/ask.ts';
import type { Tone } from '../model/headline.ts';
import { ago } from '../model/units.ts';
import { t } from '../strings.ts';
import { Mark } from './mark.tsx';

interface Within {
  readonly children?: ComponentChildren;
}

export const Head = ({
  title,
  about,
  children,
}: Within & { readonly title: string; readonly about?: ComponentChildren }) => (
  <div class="head">
    <div>
      <h1>{title}</h1>
      {about === undefined ? null : <p class="quiet">{about}</p>}
    </div>
    <div class="acts">{children}</div>
  </div>
);

export const Card = ({
  title,
  aside,
  children,
  wide,
}: Within & { readonly title?: string; readonly aside?: ComponentChildren; readonly wide?: boolean }) => (
  <section
    class={wide === true ? 'card wide' : 'card'}
    {...(title === undefined ? {} : { 'aria-label': title })}
  >
    {title === undefined ? null : (
      <div class="card-head">
        <h2>{title}</h2>
        {aside === undefined ? null : <span class="quiet">{aside}</span>}
      </div>
    )}
    {children}
  </section>
);

/** `null` seconds: nobody knows. */
export const Age = ({ seconds, stale }: { readonly seconds: number | null; readonly stale?: boolean }) => (
  <span class={stale === true ? 'age stale' : 'age'}>{seconds === null ? t.ageUnknown : ago(seconds)}</span>
);

export const Pill = ({ tone, children }: Within & { readonly tone: Tone }) => (
  <span class={`pill ${tone}`}>
    <Mark tone={tone} />
    {children}
  </span>
);

export const Facts = ({
  rows,
}: {
  readonly rows: readonly (readonly [string, ComponentChildren] | null)[];
}) => (
  <dl class="facts">
    {rows.map((row) =>
      row === null || row[1] === null || row[1] === undefined ? null : (
        <div key={row[0]}>
          <dt>{row[0]}</dt>
          <dd>{row[1]}</dd>
        </div>
      ),
    )}
  </dl>
);

export const Empty = ({ title, children }: Within & { readonly title: string }) => (
  <div class="empty">
    <p class="empty-title">{title}</p>
    {children === undefined ? null : <p class="quiet">{children}</p>}
  </div>
);

/** Asks for another page of a list. Pressed while one is read it does nothing; it is not disabled, which would take the focus from it. */
export const PageButton = ({
  reading,
  onPress,
  children,
}: Within & { readonly reading: boolean; onPress(): void }) => (
  <button type="button" aria-disabled={reading} onClick={() => (reading ? undefined : onPress())}>
    {children}
  </button>
);

/** Instead of what could not be read. */
export const ProblemBox = ({ problem }: { readonly problem: Problem }) => (
  <div class="problem" role="alert">
    <Mark tone="bad" />
    <div>
      <p>{problem.detail}</p>
      {problem.remedy === null ? null : <p class="quiet">{problem.remedy}</p>}
    </div>
  </div>
);

/** While the first answer is awaited, or when it did not come. */
export const Waiting = ({ problem }: { readonly problem: Problem | null }) =>
  problem === null ? <p class="quiet waiting">{t.waiting}</p> : <ProblemBox problem={problem} />;
