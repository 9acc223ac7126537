// Shows what the API says, and how old it is. What cannot be asked is shown as unknown, never as it was.
const POLL_MS = 5_000;
const MOST_EVENTS = 200;

const byId = (id) => document.getElementById(id);

/** Text only: names and strings of devices are whatever the device claims. */
function element(name, text, attributes = {}) {
  const made = document.createElement(name);
  made.textContent = text;
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  return made;
}

function age(seconds) {
  if (seconds < 2) return 'now';
  if (seconds < 120) return `${Math.round(seconds)} s`;
  if (seconds < 7_200) return `${Math.round(seconds / 60)} min`;
  return seconds < 172_800 ? `${Math.round(seconds / 3_600)} h` : `${Math.round(seconds / 86_400)} days`;
}

const ago = (seconds) => (seconds < 2 ? 'confirmed now' : `confirmed ${age(seconds)} ago`);

/** How old something was when the appliance said so; grows with every tick of the page. */
const ageOf = (seconds) => element('span', ago(seconds), { 'data-age': String(seconds) });

/** The last answer of the state, and when this page got it by its own clock. */
let answered = null;
let answeredAt = 0;

const silentSeconds = () => (performance.now() - answeredAt) / 1_000;
const isStale = () => silentSeconds() > (3 * POLL_MS) / 1_000;

function setState(target, state) {
  if (target.dataset.state === state) return;
  target.dataset.state = state;
  target.textContent = state;
}

/** Every second: lets the ages grow, and turns everything to unknown when the appliance is silent. */
function tick() {
  const silent = silentSeconds();
  const stale = answered === null || isStale();
  setState(byId('overall'), stale ? 'unknown' : answered.health.state);
  byId('stale').hidden = answered === null || !stale;
  if (answered === null) return;
  if (stale) {
    byId('stale-age').textContent = `What is below is ${age(silent)} old.`;
    for (const target of document.querySelectorAll('#parts .state')) setState(target, 'unknown');
  }
  for (const target of document.querySelectorAll('[data-age]')) {
    target.textContent = ago(Number(target.dataset.age) + silent);
  }
}

function showState({ health, buffer }) {
  byId('parts').replaceChildren(
    ...Object.entries(health.parts).map(([name, part]) => {
      const item = element('li', '');
      const row = element('div', '', { class: 'row' });
      row.append(
        element('span', name, { class: 'name' }),
        element('span', part.state, { class: 'state', 'data-state': part.state }),
      );
      const unsynced = part.clock === 'unsynced' ? ' (clock not set)' : '';
      const when = element('p', '', { class: 'quiet' });
      when.append(ageOf(part.ageSeconds), `, since ${new Date(part.since).toLocaleString()}${unsynced}`);
      item.append(row, element('p', part.why), when);
      return item;
    }),
  );
  const { waiting, queued } = buffer;
  byId('buffer').textContent =
    `${waiting} waiting for the broker${queued > 0 ? `, ${queued} still in memory` : ''}`;
}

function nameOf(device) {
  const maker = device.manufacturer ?? device.vendorName ?? '';
  const product = device.product ?? device.productName ?? '';
  // Many products have their maker's name in front already.
  const both = product.toLowerCase().startsWith(maker.toLowerCase()) ? product : `${maker} ${product}`;
  return both.trim() || 'Unnamed device';
}

/** Most devices say what they are with their interfaces only, some of which say `None`. */
function kindOf({ deviceClass, interfaces = [] }) {
  if (deviceClass !== undefined && deviceClass.class !== '00') return deviceClass.name;
  const names = new Set(interfaces.map(({ name }) => name));
  return [...names].filter((name) => name && name !== 'None').join(', ') || undefined;
}

/** With the day where it is not today. */
function timeOf(instant) {
  const date = new Date(instant);
  const today = date.toDateString() === new Date().toDateString();
  const day = today ? '' : `${date.toLocaleDateString([], { month: 'short', day: 'numeric' })} `;
  return day + date.toLocaleTimeString();
}

function showDevices({ devices, restsOn, time }) {
  byId('device-count').textContent = `(${devices.length})`;
  const basis = Object.entries(restsOn).flatMap(([part, { state, ageSeconds }], index) => [
    `${index === 0 ? '' : '; '}${part} ${state}, `,
    ageOf(ageSeconds),
  ]);
  byId('devices-basis').replaceChildren(
    `As of ${new Date(time).toLocaleTimeString()}, rests on `,
    ...(basis.length === 0 ? ['nothing that reports'] : basis),
  );
  byId('devices').replaceChildren(
    ...devices.map((device) => {
      const item = element('li', '');
      const row = element('div', '', { class: 'row' });
      row.append(
        element('span', nameOf(device), { class: 'name' }),
        element('span', `port ${device.port}`, { class: 'quiet' }),
      );
      const facts = [
        `${device.vendorId ?? '????'}:${device.productId ?? '????'}`,
        kindOf(device),
        device.serial === undefined ? 'no serial number' : `serial ${device.serial}`,
        device.speedMbps === undefined ? undefined : `${device.speedMbps} Mbit/s`,
        device.authorized === false ? 'not authorized' : undefined,
      ];
      item.append(row, element('p', facts.filter(Boolean).join(' · '), { class: 'quiet' }));
      return item;
    }),
  );
}

async function read(path) {
  const response = await fetch(path, { cache: 'no-store', signal: AbortSignal.timeout(POLL_MS) });
  if (!response.ok) throw new Error(`${path}: ${response.status}`);
  return response.json();
}

async function poll() {
  try {
    const [state, devices] = await Promise.all([read('/api/v1/state'), read('/api/v1/devices')]);
    answered = state;
    answeredAt = performance.now();
    showState(state);
    showDevices(devices);
  } catch {
    // tick() tells how old the last answer is.
  }
  tick();
}

let soon = 0;
function pollSoon() {
  clearTimeout(soon);
  soon = setTimeout(poll, 150);
}

function add(item) {
  const list = byId('events');
  list.prepend(item);
  while (list.children.length > MOST_EVENTS) list.lastElementChild.remove();
}

function summary({ subject, data }) {
  const device = data.device;
  return device ? `${subject} ${nameOf(device)}` : subject;
}

function showEvent({ data }) {
  const event = JSON.parse(data);
  const item = element('li', '');
  item.append(
    element('time', timeOf(event.time), { datetime: event.time }),
    element('span', event.id),
    element('span', event.type),
    element('span', summary(event)),
  );
  add(item);
  if (event.type.startsWith('usb.')) pollSoon();
}

let lastEventId = '';
function listen() {
  const source = new EventSource(
    lastEventId === ''
      ? '/api/v1/events?unnamed&last=50'
      : `/api/v1/events?unnamed&lastEventId=${encodeURIComponent(lastEventId)}`,
  );
  source.onopen = () => {
    byId('stream-state').textContent = 'connected';
  };
  source.onerror = () => {
    byId('stream-state').textContent = 'not connected, trying again';
    // After a refusal (too many listeners) the browser gives up by itself.
    if (source.readyState !== EventSource.CLOSED) return;
    source.close();
    setTimeout(listen, POLL_MS);
  };
  source.addEventListener('stream.notice', ({ data }) => {
    const { message, remedy } = JSON.parse(data);
    const item = element('li', '');
    item.append(element('span', `${message}. ${remedy}`, { class: 'lost' }));
    add(item);
  });
  source.onmessage = (event) => {
    lastEventId = event.lastEventId;
    showEvent(event);
  };
}

poll();
setInterval(poll, POLL_MS);
setInterval(tick, 1_000);
listen();
