// Subscriptions of a manifest -> a sentence for each that no event of this appliance will ever match. A warning, never a refusal: a
// newer appliance may know more types, and other plugins have their own.
import { eventTypes } from '../../contracts/event-types.ts';
import { nearestName } from '../../lib/nearest-name.ts';

const known = Object.keys(eventTypes);

export function doubtfulSubscriptions(subscriptions: readonly string[]): readonly string[] {
  return subscriptions.filter(isDoubtful).map((subscription) => {
    const near = nearestName(subscription, known);
    const advice =
      near === null ? '`autoweave plugin test --help` says how to see events' : `did you mean ${near}?`;
    return `plugin.json subscribes to ${subscription}, and no event has this type; ${advice}`;
  });
}

function isDoubtful(subscription: string): boolean {
  if (/^plugin\.[^.]+\.[^.]+$/.test(subscription)) return false;
  if (!subscription.endsWith('.*')) return !known.includes(subscription);
  const family = subscription.slice(0, -1);
  return !family.startsWith('plugin.') && !known.some((type) => type.startsWith(family));
}
