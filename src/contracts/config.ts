// The configuration: one schema per section = JSON Schema, static type and documentation. Loaded and checked by config/.
import { type Static, Type } from 'typebox';
import { ApplianceConfig } from './config/appliance-config.ts';
import { BufferConfig } from './config/buffer-config.ts';
import { closed } from './config/config-types.ts';
import { LedsConfig } from './config/leds-config.ts';
import { LogConfig } from './config/log-config.ts';
import { NetworkConfig } from './config/network-config.ts';
import { PluginsConfig } from './config/plugins-config.ts';
import { PolicyConfig } from './config/policy-config.ts';
import { StatusConfig } from './config/status-config.ts';
import { TimeConfig } from './config/time-config.ts';
import { UplinkConfig } from './config/uplink-config.ts';
import { UsbConfig } from './config/usb-config.ts';

export const Config = Type.Object(
  {
    appliance: ApplianceConfig,
    usb: UsbConfig,
    buffer: BufferConfig,
    uplink: UplinkConfig,
    status: StatusConfig,
    leds: LedsConfig,
    policy: PolicyConfig,
    network: NetworkConfig,
    time: TimeConfig,
    plugins: PluginsConfig,
    log: LogConfig,
  },
  { ...closed, $id: 'autoweave-config', description: 'AutoWeave Edge configuration' },
);
export type Config = Static<typeof Config>;
