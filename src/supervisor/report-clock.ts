// What the appliance says about its wall clock: health at every answer, and one event when it becomes right [U9].
import type { Clock } from '../contracts/clock.ts';
import type { EventData } from '../contracts/event-types.ts';
import type { ReportHealth } from '../contracts/health.ts';

export function reportClock(options: {
  readonly clock: Pick<Clock, 'now'>;
  readonly report: ReportHealth;
  readonly onSynchronized: (data: EventData<'system.clock-synchronized'>) => void;
}): (synced: boolean | null, witness: string | null) => void {
  // Events of the time before the first answer were marked unsynced: the first `true` is worth an event too.
  let before = false;
  return (synced, witness) => {
    if (synced === null) {
      options.report(
        'unknown',
        'no program on this system tells whether the clock is synchronized; events are marked unsynced',
      );
    } else if (synced) {
      options.report('ok', `synchronized, says ${witness}`);
    } else {
      options.report(
        'degraded',
        `not synchronized, says ${witness}: events carry boot id and uptime, from which their time can be set right`,
      );
    }
    if (synced === true && !before) {
      const { wallMs, uptimeMs } = options.clock.now();
      options.onSynchronized({ offsetMs: Math.round(wallMs - uptimeMs) });
    }
    before = synced ?? false;
  };
}
