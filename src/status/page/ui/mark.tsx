// A state as a shape, so that colour is not the only thing that tells it; and the drawn signs of views and acts.
import type { Tone } from '../model/headline.ts';

const marks: Readonly<Record<Tone, string>> = {
  ok: 'M6.5 12.5l3.6 3.6 7.4-8',
  warn: 'M12 6.5v7M12 17v.2',
  bad: 'M8 8l8 8M16 8l-8 8',
  info: 'M7.5 12h.1M12 12h.1M16.5 12h.1',
  unknown: 'M9 9.4a3 3 0 1 1 4.4 2.7c-.9.5-1.4 1-1.4 2M12 17.2v.2',
};

export const Mark = ({ tone, label }: { readonly tone: Tone; readonly label?: string }) => (
  <svg
    class={`mark ${tone}`}
    viewBox="0 0 24 24"
    {...(label === undefined ? { 'aria-hidden': 'true' } : { role: 'img', 'aria-label': label })}
  >
    <circle cx="12" cy="12" r="10.5" />
    <path d={marks[tone]} />
  </svg>
);

const icons = {
  overview: 'M4 13l8-8 8 8M6.5 11v8.5h11V11',
  devices:
    'M12 3v13M12 8l5 2.5V14M12 11l-5-2.5V5.5M9 19a3 3 0 1 0 6 0a3 3 0 1 0-6 0M5.5 3.5h3v3h-3zM15.5 14h3v3h-3z',
  events: 'M3 12h4l3-8 4 16 3-8h4',
  plugins: 'M4 8h5V6a2 2 0 1 1 4 0v2h5v5h1a2 2 0 1 1 0 4h-1v3H4z',
  delivery: 'M7 18a4.5 4.5 0 0 1-.5-9 6 6 0 0 1 11.5 1.5A3.8 3.8 0 0 1 18 18M12 21v-9M8.8 15L12 11.8 15.2 15',
  logs: 'M5 5h14M5 9.7h14M5 14.3h9M5 19h6',
  settings: 'M4 7h9M17 7h3M4 17h3M11 17h9M13 7a2 2 0 1 0 4 0a2 2 0 1 0-4 0M7 17a2 2 0 1 0 4 0a2 2 0 1 0-4 0',
  users: 'M8.5 8a3.2 3.2 0 1 0 6.4 0a3.2 3.2 0 1 0-6.4 0M5 20c.4-4 3-6 6.7-6s6.3 2 6.7 6',
  audit: 'M6 3.5h12v17H6zM9 8.5h6M9 12h6M9 15.5h3',
  account: 'M8.5 8a3.5 3.5 0 1 0 7 0a3.5 3.5 0 1 0-7 0M5 20c.4-4 3.3-6 7-6s6.6 2 7 6',
  login: 'M14 4h5v16h-5M4 12h10M10.5 8.5L14 12l-3.5 3.5',
  logout: 'M10 4H5v16h5M10 12h10M16.5 8.5L20 12l-3.5 3.5',
  more: 'M5.5 12h.1M12 12h.1M18.5 12h.1',
  setup: 'M12 4v16M4 12h16',
  theme: 'M12 4a8 8 0 1 0 0 16zM12 4a8 8 0 0 1 0 16',
  pause: 'M9 6v12M15 6v12',
  play: 'M8 5.5l10 6.5-10 6.5z',
  close: 'M6 6l12 12M18 6L6 18',
  back: 'M14.5 5.5L8 12l6.5 6.5',
} as const;
export type IconName = keyof typeof icons;

export const Icon = ({ name }: { readonly name: IconName }) => (
  <svg class="icon" viewBox="0 0 24 24" aria-hidden="true">
    <path d={icons[name]} />
  </svg>
);
