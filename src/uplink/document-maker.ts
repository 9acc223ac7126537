// What the appliance says about itself -> the stamped documents of the contract: birth, death and inventory.

import type { Static } from 'typebox';
import type { Clock, Instant } from '../contracts/clock.ts';
import { type ApplianceName, sourceOf } from '../contracts/topics.ts';
import type { InventoryDocument, OfflineState, OnlineState } from '../contracts/uplink-documents.ts';

/** What only the supervisor knows. */
export type StateFacts = Pick<Static<typeof OnlineState>, 'health' | 'lastEventId'>;
export type InventoryFacts = Pick<InventoryDocument, 'devices' | 'lastEventId'>;

export interface DocumentMaker {
  online(facts: StateFacts, connectedSince: Instant): Static<typeof OnlineState>;
  offline(reason: 'lost' | 'stopped'): Static<typeof OfflineState>;
  inventory(facts: InventoryFacts): InventoryDocument;
}

export interface DocumentMakerOptions {
  readonly appliance: ApplianceName;
  readonly clock: Clock;
  readonly version: string;
  readonly simulated: boolean;
}

export function createDocumentMaker({
  appliance,
  clock,
  simulated,
  version,
}: DocumentMakerOptions): DocumentMaker {
  const stamp = (now: Instant) => ({
    source: sourceOf(appliance),
    bootid: clock.bootId,
    time: timeText(now),
    clock: now.synced ? ('synced' as const) : ('unsynced' as const),
  });
  return {
    online(facts, connectedSince) {
      const now = clock.now();
      return {
        online: true,
        ...stamp(now),
        uptimems: Math.floor(now.uptimeMs),
        version,
        simulated,
        connectedSince: timeText(connectedSince),
        ...facts,
      };
    },
    offline: (reason) => ({ online: false, ...stamp(clock.now()), reason }),
    inventory: (facts) => ({ ...stamp(clock.now()), simulated, ...facts }),
  };
}

function timeText({ wallMs }: Instant): string {
  return new Date(wallMs).toISOString();
}
