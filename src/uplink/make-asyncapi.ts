// The contracts' schemas -> the AsyncAPI 3.0 document of the topic tree, for the people who subscribe.
// `node src/uplink/make-asyncapi.ts` writes asyncapi.json beside this file; a test fails when the two differ.
import { writeFileSync } from 'node:fs';
import type { TSchema } from 'typebox';
import { CloudEvent } from '../contracts/event.ts';
import { eventTypes } from '../contracts/event-types.ts';
import { HealthReport, PartHealth } from '../contracts/health.ts';
import { PluginStatus } from '../contracts/plugin-status.ts';
import { topicsOf } from '../contracts/topics.ts';
import {
  InventoryDocument,
  OfflineState,
  OnlineState,
  StateDocument,
} from '../contracts/uplink-documents.ts';
import { UsbClass, UsbDevice, UsbInterface, UsbReadiness } from '../contracts/usb-device.ts';

type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };
type JsonObject = { readonly [key: string]: Json };

/** Schemas with a name of their own in the document; wherever one appears inside another, a reference stands. */
const named: Readonly<Record<string, TSchema>> = {
  CloudEvent,
  StateDocument,
  OnlineState,
  OfflineState,
  InventoryDocument,
  HealthReport,
  PartHealth,
  PluginStatus,
  UsbDevice,
  UsbInterface,
  UsbClass,
  UsbReadiness,
};
const nameOf = new Map(Object.entries(named).map(([name, schema]) => [JSON.stringify(schema), name]));

const parameters: JsonObject = Object.fromEntries(
  ['tenant', 'site', 'appliance'].map((name) => [
    name,
    { description: `The configuration's appliance.${name === 'appliance' ? 'name' : name}` },
  ]),
);
const pluginParameters: JsonObject = {
  plugin: { description: 'Name of the plugin' },
  event: { description: 'As the manifest declares it' },
  message: { description: "The plugin's choice" },
};
const topics = topicsOf({ tenant: '{tenant}', site: '{site}', name: '{appliance}' });

export function makeAsyncApi(): JsonObject {
  const types = Object.keys(eventTypes).sort() as (keyof typeof eventTypes)[];
  const channels = [
    ...types.map((type) => channel(type, topics.event(type), type)),
    channel('state', topics.state, 'state'),
    channel('inventory', topics.inventory, 'inventory'),
    channel('plugin', topics.plugin('{plugin}'), 'plugin'),
    channel('plugin-event', topics.event('plugin.{plugin}.{event}'), 'plugin-event'),
    channel('plugin-message', topics.pluginMessage('{plugin}', '{message}'), 'plugin-message'),
  ];
  return {
    asyncapi: '3.0.0',
    info: {
      title: 'AutoWeave Edge uplink',
      version: '1',
      description:
        'What an appliance publishes. Events: QoS 1, at least once, in order; `source` and `id` together identify one, and the ' +
        'numbers of an appliance are consecutive over all types, so repeats and losses can be told. State and inventory: QoS 1, ' +
        'retained; the state is also the will.',
    },
    defaultContentType: 'application/json',
    channels: Object.fromEntries(channels),
    operations: Object.fromEntries(channels.map(([name]) => [`publish-${name}`, operation(name)])),
    components: {
      messages: {
        ...Object.fromEntries(types.map((type) => [type, eventMessage(type)])),
        state: documentMessage('Birth, health and death of the appliance', 'StateDocument'),
        inventory: documentMessage('The devices that are plugged in', 'InventoryDocument'),
        plugin: documentMessage('How one plugin is; empty: it was removed', 'PluginStatus'),
        'plugin-event': {
          title: 'An event of a plugin: plugin.<name>.<its own type>',
          contentType: 'application/cloudevents+json',
          payload: { $ref: '#/components/schemas/CloudEvent' },
        },
        'plugin-message': {
          title: 'What a plugin publishes itself; not an event, and lost while there is no connection',
          contentType: 'application/octet-stream',
          payload: {},
        },
      },
      schemas: Object.fromEntries(
        Object.entries(named).map(([name, schema]) => [name, inner(toJson(schema))]),
      ),
    },
  };
}

function channel(name: string, address: string, message: string): readonly [string, JsonObject] {
  const messages = { [message]: { $ref: `#/components/messages/${message}` } };
  const own = Object.entries(pluginParameters).filter(([key]) => address.includes(`{${key}}`));
  return [name, { address, parameters: { ...parameters, ...Object.fromEntries(own) }, messages }];
}

function operation(name: string): JsonObject {
  const channelRef = `#/channels/${name}`;
  return {
    action: 'send',
    channel: { $ref: channelRef },
    messages: [{ $ref: `${channelRef}/messages/${name}` }],
    bindings: { mqtt: { qos: 1, retain: ['state', 'inventory', 'plugin'].includes(name) } },
  };
}

function eventMessage(type: keyof typeof eventTypes): JsonObject {
  const data = toJson(eventTypes[type]);
  const description = (data as JsonObject).description;
  return {
    title: type,
    ...(description !== undefined && { description }),
    contentType: 'application/cloudevents+json',
    payload: {
      allOf: [
        { $ref: '#/components/schemas/CloudEvent' },
        { type: 'object', properties: { type: { const: type }, data: withReferences(data) } },
      ],
    },
  };
}

function documentMessage(title: string, schema: string): JsonObject {
  return { title, contentType: 'application/json', payload: { $ref: `#/components/schemas/${schema}` } };
}

/** TypeBox marks its schemas with hidden keys; what is left is plain JSON Schema. */
function toJson(schema: TSchema): Json {
  return JSON.parse(JSON.stringify(schema)) as Json;
}

function withReferences(schema: Json): Json {
  const name = nameOf.get(JSON.stringify(schema));
  return name === undefined ? inner(schema) : { $ref: `#/components/schemas/${name}` };
}

function inner(schema: Json): Json {
  if (Array.isArray(schema)) return schema.map(withReferences);
  if (schema === null || typeof schema !== 'object') return schema;
  return Object.fromEntries(Object.entries(schema).map(([key, value]) => [key, withReferences(value)]));
}

if (import.meta.main)
  writeFileSync(new URL('asyncapi.json', import.meta.url), `${JSON.stringify(makeAsyncApi(), null, 2)}\n`);
