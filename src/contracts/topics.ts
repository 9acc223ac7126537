// The MQTT topic tree; src/uplink/asyncapi.json describes it for the people who subscribe.

export interface ApplianceName {
  readonly tenant: string;
  readonly site: string;
  readonly name: string;
}

export interface Topics {
  event(type: string): string;
  /** Retained; also the will. */
  readonly state: string;
  /** Retained. */
  readonly inventory: string;
  readonly command: string;
  /** Retained: how one plugin is. */
  plugin(name: string): string;
  /** What a plugin publishes itself. */
  pluginMessage(name: string, topic: string): string;
}

export function topicsOf({ tenant, site, name }: ApplianceName): Topics {
  const base = `autoweave/v1/${tenant}/${site}/${name}`;
  return {
    event: (type) => `${base}/event/${type}`,
    state: `${base}/state`,
    inventory: `${base}/inventory`,
    command: `${base}/command/+`,
    plugin: (name) => `${base}/plugin/${name}`,
    pluginMessage: (name, topic) => `${base}/plugin/${name}/${topic}`,
  };
}

/** CloudEvents `source` of everything the appliance says. */
export function sourceOf({ tenant, site, name }: ApplianceName): string {
  return `urn:autoweave:${tenant}:${site}:${name}`;
}
