// What is around every view: navigation, the state of the appliance, who is logged in, what an act has brought.
import type { JSX } from 'preact';
import { toHeadline } from './model/headline.ts';
import type { Model } from './model/model.ts';
import { facts } from './model/page-facts.ts';
import { linkTo, type ViewName } from './model/route.ts';
import { ago, duration } from './model/units.ts';
import { MoreView, Navigation } from './navigation.tsx';
import { t } from './strings.ts';
import { Icon, Mark } from './ui/mark.tsx';
import { AccountView } from './views/account.tsx';
import { AuditView } from './views/audit.tsx';
import { DeliveryView } from './views/delivery.tsx';
import { DevicesView } from './views/devices.tsx';
import { EventsView } from './views/events.tsx';
import { LoginView } from './views/login.tsx';
import { LogsView } from './views/logs.tsx';
import { OverviewView } from './views/overview.tsx';
import { PluginsView } from './views/plugins.tsx';
import { SettingsView } from './views/settings.tsx';
import { SetupView } from './views/setup.tsx';
import { UsersView } from './views/users.tsx';

export interface ViewProps {
  readonly model: Model;
}

const views: Readonly<Record<Exclude<ViewName, 'more'>, (props: ViewProps) => JSX.Element>> = {
  overview: OverviewView,
  devices: DevicesView,
  events: EventsView,
  plugins: PluginsView,
  delivery: DeliveryView,
  logs: LogsView,
  settings: SettingsView,
  users: UsersView,
  audit: AuditView,
  account: AccountView,
  login: LoginView,
  setup: SetupView,
};

/** What rests on the state alone, which anybody may ask for. */
const open: readonly ViewName[] = ['overview', 'delivery', 'login', 'setup', 'more'];
export function Shell({ model }: ViewProps) {
  const asked = model.route.view;
  const unclaimed = model.session.value?.claimed === false;
  const closed = !model.mayRead && !open.includes(asked);
  // Nobody can log in to what belongs to nobody.
  const view = unclaimed && (closed || asked === 'login') ? 'setup' : closed ? 'login' : asked;
  const View = view === 'more' ? MoreView : views[view];
  document.title = t.documentTitle(t.view[view], facts.name);
  return (
    <div class={model.stale ? 'shell is-stale' : 'shell'}>
      <button type="button" class="skip" onClick={focusMain}>
        {t.skip}
      </button>
      <Navigation model={model} view={view} />
      <div class="body">
        <Bar model={model} view={view} />
        <main id="main" tabIndex={-1} data-view={view}>
          {unclaimed && view === 'overview' ? (
            <p class="call">
              <span>{t.setup.unclaimed}</span> <a href={linkTo('setup')}>{t.setup.claimIt}</a>
            </p>
          ) : null}
          <View model={model} key={view === 'plugins' ? `${view}/${model.route.detail ?? ''}` : view} />
        </main>
      </div>
      <Said model={model} />
    </div>
  );
}

function focusMain(): void {
  document.getElementById('main')?.focus();
}

/** Everywhere but on the overview, which says it larger. */
function Bar({ model, view }: ViewProps & { readonly view: ViewName }) {
  const headline = toHeadline(model.state.value, model);
  const seconds = model.silentSeconds;
  return (
    <header class="bar">
      <p class="brand phone-only">
        <strong>{facts.name}</strong> <small>{facts.place}</small>
      </p>
      {facts.simulated ? (
        <p class="simulated" title={t.simulatedWhy}>
          {t.simulated}
        </p>
      ) : null}
      {model.stale ? (
        // What grows each second is outside of the alert, which is read out whenever it changes.
        <p class="stale-note">
          <span role="alert">{t.stale}</span> <span>{t.staleAge(duration(seconds))}</span>
        </p>
      ) : null}
      {view === 'overview' ? null : (
        <a class={`now ${headline.tone}`} href={linkTo('overview')}>
          <Mark tone={headline.tone} />
          <span>{headline.title}</span>
          {model.stale || model.state.value === null ? null : <small>{ago(seconds)}</small>}
        </a>
      )}
    </header>
  );
}

/** What an act has brought, said once to the eye and to the ear. */
function Said({ model }: ViewProps) {
  const said = model.message;
  return (
    <div class="said" role="status" aria-live="polite">
      {said === null ? null : (
        <p class={said.tone} key={said.key}>
          <Mark tone={said.tone} />
          <span>{said.text}</span>
          <button
            type="button"
            class="quiet-button"
            aria-label={t.dismiss}
            onClick={() => model.hush(said.key)}
          >
            <Icon name="close" />
          </button>
        </p>
      )}
    </div>
  );
}
