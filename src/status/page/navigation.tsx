// The ways through the page: a rail on a wide screen, a bar at the bottom of a phone with the rest behind "more".

import { troubles } from './model/device-tree.ts';
import type { Model } from './model/model.ts';
import { facts } from './model/page-facts.ts';
import { linkTo, type ViewName } from './model/route.ts';
import type { ViewProps } from './shell.tsx';
import { t } from './strings.ts';
import { Icon } from './ui/mark.tsx';
import { ThemeButton } from './ui/theme-button.tsx';

const everybodys: readonly ViewName[] = ['overview', 'devices', 'events', 'plugins', 'delivery'];
/** In the bar of a phone; the rest is behind "more". */
const onPhone: readonly ViewName[] = ['overview', 'devices', 'events', 'plugins'];

/** What this person can do something with. */
function namesFor(model: Model): readonly ViewName[] {
  return [
    ...everybodys,
    ...(model.may('operator') ? (['logs', 'settings'] as const) : []),
    ...(model.may('admin') ? (['users', 'audit'] as const) : []),
  ];
}

export function Navigation({ model, view }: ViewProps & { readonly view: ViewName }) {
  const names = namesFor(model);
  const { blocked, failed } = counts(model);
  const link = (name: ViewName, kind = '') => (
    <a key={name} class={kind} href={linkTo(name)} aria-current={name === view ? 'page' : undefined}>
      <Icon name={name} />
      <span>{t.view[name]}</span>
      {name === 'devices' && blocked + failed > 0 ? (
        <em>
          <span aria-hidden="true">{blocked + failed}</span>
          <span class="unseen">{t.device.troubles(blocked, failed)}</span>
        </em>
      ) : null}
    </a>
  );
  const hidden =
    names.some((name) => name === view && !onPhone.includes(name)) ||
    ['login', 'account', 'setup'].includes(view);
  return (
    <nav class="rail" aria-label={t.navigation}>
      <p class="brand">
        <strong>{facts.name}</strong>
        <small>{facts.place}</small>
      </p>
      <div class="links">
        {names.map((name) => link(name, onPhone.includes(name) ? '' : 'wide-only'))}
        <a
          class="phone-only"
          href={linkTo('more')}
          aria-current={view === 'more' || hidden ? 'page' : undefined}
        >
          <Icon name="more" />
          <span>{t.view.more}</span>
        </a>
      </div>
      <div class="foot">
        <Who model={model} />
        <div class="foot-row">
          <ThemeButton />
          <small class="quiet">{t.version(facts.version)}</small>
        </div>
      </div>
    </nav>
  );
}

function Who({ model }: ViewProps) {
  const user = model.session.value?.user ?? null;
  if (user === null)
    return (
      <a class="who" href={linkTo('login')}>
        <Icon name="login" />
        <span>{t.view.login}</span>
      </a>
    );
  return (
    <div class="who-row">
      <a class="who" href={linkTo('account')}>
        <Icon name="account" />
        <span>
          {user.name}
          <small>{t.role[user.role]}</small>
        </span>
      </a>
      <button
        type="button"
        class="quiet-button"
        onClick={() => void logOut(model)}
        aria-label={t.login.out}
        title={t.login.out}
      >
        <Icon name="logout" />
      </button>
    </div>
  );
}

async function logOut(model: Model): Promise<void> {
  await model.act('session', { method: 'DELETE' }, t.login.outDone);
  location.hash = linkTo('overview');
  await model.readSession();
}

export function MoreView({ model }: ViewProps) {
  const rest = namesFor(model).filter((name) => !onPhone.includes(name));
  return (
    <>
      <h1>{t.view.more}</h1>
      <div class="more card">
        {rest.map((name) => (
          <a key={name} href={linkTo(name)}>
            <Icon name={name} />
            <span>{t.view[name]}</span>
          </a>
        ))}
        <Who model={model} />
      </div>
      <div class="foot-row">
        <ThemeButton />
        <small class="quiet">{t.version(facts.version)}</small>
      </div>
    </>
  );
}

const counts = ({ devices }: Model) => troubles(devices.value ?? { devices: [], ports: [] });
