// The sockets as a map: buses, hubs, what hangs where; one device opened at a time, with its verdict and what can be done.
import type { Device, PortState } from '../model/answers.ts';
import { type Bus, deviceKind, deviceName, isHub, type PortNode, toBuses } from '../model/device-tree.ts';
import type { Model } from '../model/model.ts';
import { linkTo } from '../model/route.ts';
import { ago, instant, secondsBetween } from '../model/units.ts';
import type { ViewProps } from '../shell.tsx';
import { t } from '../strings.ts';
import { Confirm } from '../ui/confirm.tsx';
import { Empty, Facts, Head, Pill, Waiting } from '../ui/parts.tsx';
import { toneOfVerdict, Verdict } from './verdict.tsx';

export function DevicesView({ model }: ViewProps) {
  const answer = model.devices.value;
  const about =
    answer === null
      ? t.unknown
      : [
          t.device.asOf(ago(model.older(0, model.devices))),
          ...Object.entries(answer.restsOn).map(([name, { state, ageSeconds }]) =>
            t.device.restsOn(t.part(name), t.health[state], ago(model.older(ageSeconds, model.devices))),
          ),
        ].join(' · ');
  return (
    <>
      <Head title={answer === null ? t.view.devices : t.device.title(answer.devices.length)} about={about} />
      {answer === null ? (
        <Waiting problem={model.devices.problem} />
      ) : answer.devices.length + answer.ports.length === 0 ? (
        <section class="card">
          <Empty title={t.device.none}>{t.device.noneWhy}</Empty>
        </section>
      ) : (
        <div class="buses">
          {toBuses(answer.devices, answer.ports).map((bus) => (
            <BusCard key={bus.number} bus={bus} model={model} />
          ))}
        </div>
      )}
    </>
  );
}

function BusCard({ bus, model }: ViewProps & { readonly bus: Bus }) {
  return (
    <section class="card bus" aria-label={t.device.bus(bus.number)}>
      <div class="card-head">
        <h2>{t.device.bus(bus.number)}</h2>
        <span class="quiet">{t.device.onBus(bus.count)}</span>
      </div>
      <ul class="ports">
        {bus.ports.map((node) => (
          <Port key={node.port} node={node} model={model} />
        ))}
      </ul>
    </section>
  );
}

function Port({ node, model }: ViewProps & { readonly node: PortNode }) {
  const { device, port, socket, state, children } = node;
  const open = model.route.detail === port;
  return (
    <li>
      {device === null ? (
        <PortWithout socket={socket} state={state} />
      ) : (
        <button
          type="button"
          class="port"
          aria-expanded={open}
          onClick={() => {
            location.hash = open ? linkTo('devices') : linkTo('devices', port);
          }}
        >
          <span class={`plug ${toneOfVerdict(device)} ${isHub(device) ? 'hub' : ''}`}>
            <span class="unseen">{t.device.port(port)}</span>
            <span aria-hidden="true">{socket}</span>
          </span>
          <span class="port-name">
            <strong>{deviceName(device) ?? t.device.unnamed}</strong>
            <small>
              {[
                deviceKind(device),
                `${device.vendorId ?? '????'}:${device.productId ?? '????'}`,
                speed(device),
              ]
                .filter(Boolean)
                .join(' · ')}
            </small>
          </span>
          <Verdict device={device} />
        </button>
      )}
      {device !== null && state?.state === 'failed' ? <Failure state={state} /> : null}
      {open && device !== null ? <Detail key={device.address} device={device} model={model} /> : null}
      {children.length === 0 ? null : (
        <ul class="ports">
          {children.map((child) => (
            <Port key={child.port} node={child} model={model} />
          ))}
        </ul>
      )}
    </li>
  );
}

/** Something is plugged in that is no device, or not yet; or it is known only by what hangs on it. */
function PortWithout({ socket, state }: Pick<PortNode, 'socket' | 'state'>) {
  if (state === null)
    return (
      <div class="port unknown">
        <span class="plug unknown">{socket}</span>
        <span class="port-name quiet">{t.device.unknownHub}</span>
      </div>
    );
  const isBad = state.state === 'failed';
  const { productId, vendorId } = state;
  return (
    <>
      <div class="port unknown">
        <span class={`plug ${isBad ? 'bad' : 'unknown'}`}>{socket}</span>
        <span class="port-name">
          <span>{deviceName(state) ?? (isBad ? t.device.unnamed : t.device.newDevice)}</span>
          <small>
            {[vendorId === undefined ? null : `${vendorId}:${productId}`, speed(state)]
              .filter(Boolean)
              .join(' · ')}
          </small>
        </span>
        <Pill tone={isBad ? 'bad' : 'info'}>{isBad ? t.device.failed : t.device.enumerating}</Pill>
      </div>
      {isBad ? <Failure state={state} /> : null}
    </>
  );
}

const Failure = ({ state: { at, code, remedy, why } }: { readonly state: PortState }) => (
  <div class="detail" role="status">
    <p>
      {code === undefined ? null : <strong>{t.device.fault[code]}. </strong>}
      {remedy}
    </p>
    <p class="quiet">
      {t.device.kernelSays(why ?? t.unknown)} · <time dateTime={at}>{instant(at)}</time>
    </p>
  </div>
);

function speed({ speedMbps }: Pick<Device, 'speedMbps'>): string | null {
  if (speedMbps === undefined) return null;
  return speedMbps >= 1_000 ? `${speedMbps / 1_000} Gbit/s` : `${speedMbps} Mbit/s`;
}

function Detail({ device, model }: ViewProps & { readonly device: Device }) {
  const { verdict } = device;
  return (
    <div class="detail">
      <Facts
        rows={[
          [
            t.device.verdict,
            <>
              <Verdict device={device} /> {verdict?.reason === verdict?.rule ? null : verdict?.reason}
            </>,
          ],
          [t.device.verdictHolds, verdictAge(device, model)],
          verdict?.rule ? [t.device.rule, <code key="rule">{verdict.rule}</code>] : null,
          [t.device.portLabel, <code key="port">{device.port}</code>],
          [t.device.serial, device.serial ?? t.device.noSerial],
          [t.device.speed, speed(device)],
          [t.device.power, device.maxPowerMilliamps === undefined ? null : `${device.maxPowerMilliamps} mA`],
          [t.device.usb, device.usbVersion ?? null],
          [t.device.interfaces, device.interfaces.length === 0 ? null : interfaceList(device)],
          [
            t.device.identity,
            device.identity === null ? (
              t.device.noIdentity
            ) : (
              <code key="id" class="hash">
                {device.identity}
              </code>
            ),
          ],
          device.problems.length === 0 ? null : [t.device.problems, device.problems.join(', ')],
        ]}
      />
      <Acts device={device} model={model} />
    </div>
  );
}

/** By the appliance's clock, whatever the browser's says. */
function verdictAge({ verdict }: Device, model: Model): string | null {
  const seconds = secondsBetween(verdict?.at, model.devices.value?.time ?? '');
  return seconds === null ? null : ago(model.older(seconds, model.devices));
}

const interfaceList = ({ interfaces }: Device) =>
  [
    ...new Set(
      interfaces.map(
        ({ name, class: code, subclass, protocol }) =>
          `${name ?? t.unknown} (${code}:${subclass}:${protocol})`,
      ),
    ),
  ].join(', ');

function Acts({ device, model }: ViewProps & { readonly device: Device }) {
  if (!model.may('operator'))
    return <p class="quiet">{model.session.value?.user == null ? t.loginToAct : t.roleTooLow}</p>;
  const name = deviceName(device) ?? t.device.unnamed;
  const decide = (what: 'allow' | 'block') => (reason: string) =>
    model.act(
      `devices/${device.port}/${what}`,
      { method: 'POST', body: { address: device.address, ...(reason === '' ? {} : { reason }) } },
      t.device.done[what],
    );
  return (
    <div class="acts">
      <Confirm
        label={t.device.allow}
        title={t.device.allowTitle(name)}
        consequence={t.device.allowWhy}
        reasonLabel={t.device.reason}
        onYes={decide('allow')}
        disabled={isDecided(model, device, 'allow')}
      />
      <Confirm
        label={t.device.block}
        title={t.device.blockTitle(name)}
        consequence={t.device.blockWhy}
        reasonLabel={t.device.reason}
        danger
        onYes={decide('block')}
        disabled={isDecided(model, device, 'block')}
      />
    </div>
  );
}

const isDecided = (model: Model, { verdict }: Device, what: 'allow' | 'block') =>
  model.stale || verdict?.target === what;
