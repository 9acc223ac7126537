// One health report -> the one thing that the LED says.
import type { HealthReport } from '../../contracts/health.ts';
import type { LedState } from './led-states.ts';

export interface LedCircumstances {
  readonly health: HealthReport;
  /** What was asked for or is under way; it is shown before what health says. */
  readonly activity: 'identify' | 'updating' | null;
  readonly brokerConfigured: boolean;
}

/** Before its first report a part is unknown: until everything essential has spoken, the appliance is booting. */
export function toLedState({ health, activity, brokerConfigured }: LedCircumstances): LedState {
  if (activity === 'identify') return 'identify';
  if (health.state === 'down') return 'fault';
  if (activity === 'updating') return 'updating';
  if (health.parts['usb-monitor']?.state !== 'ok' && health.state === 'unknown') return 'booting';
  if (!brokerConfigured) return 'setting-up';
  const uplink = health.parts.uplink?.state;
  if (uplink === 'down') return 'buffering-offline';
  if (uplink === 'unknown') return 'booting';
  return health.state === 'ok' ? 'good' : 'attention';
}
