// The address's fragment -> the view. `#/plugins/scale` is the plugin scale in the view plugins.

export const viewNames = [
  'overview',
  'devices',
  'events',
  'plugins',
  'delivery',
  'logs',
  'settings',
  'users',
  'audit',
  'account',
  'more',
  'login',
  'setup',
] as const;
export type ViewName = (typeof viewNames)[number];

export interface Route {
  readonly view: ViewName;
  readonly detail: string | null;
}

export function toRoute(fragment: string): Route {
  const [view = '', detail = ''] = fragment.replace(/^#\/?/, '').split('/', 2);
  const known = viewNames.find((name) => name === view);
  if (known === undefined) return { view: 'overview', detail: null };
  return { view: known, detail: detail === '' ? null : decoded(detail) };
}

export const linkTo = (view: ViewName, detail?: string): string =>
  detail === undefined ? `#/${view}` : `#/${view}/${encodeURIComponent(detail)}`;

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    // A broken escape names nothing that exists.
    return text;
  }
}
