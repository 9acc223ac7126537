// A number of places of which one client address gets a share only: nobody can have them all.
import { clientKey, isLoopback } from './client-key.ts';

export interface AddressPlaces {
  /** A place for the address; the function gives it back, once. Or why there is none. */
  take(address: string): (() => void) | 'full' | 'share-used-up';
  /** How many one such address may have. */
  most(address: string): number;
}

export interface PlacesOptions {
  readonly total: number;
  readonly share: number;
  readonly loopbackShare: number;
  /** An address that stands for many clients, and gets what this machine's own get. */
  readonly isProxy?: (address: string) => boolean;
}

/** Of all places, what the network may have: the screen of the box itself must not go dark because strangers crowd. */
const OTHERS = 7 / 8;

export function createAddressPlaces(options: PlacesOptions): AddressPlaces {
  const { total, share, loopbackShare, isProxy = () => false } = options;
  const held = new Map<string, number>();
  let taken = 0;
  let takenByOthers = 0;
  const mostOfOthers = Math.max(1, Math.floor(total * OTHERS));
  const most = (address: string) =>
    Math.max(1, Math.floor(total * (isLoopback(address) || isProxy(address) ? loopbackShare : share)));
  return {
    most,
    take(address) {
      const isOther = !isLoopback(address);
      if (taken >= total || (isOther && takenByOthers >= mostOfOthers)) return 'full';
      const key = clientKey(address);
      const own = held.get(key) ?? 0;
      if (own >= most(address)) return 'share-used-up';
      held.set(key, own + 1);
      taken += 1;
      if (isOther) takenByOthers += 1;
      let given = false;
      return () => {
        if (given) return;
        given = true;
        taken -= 1;
        if (isOther) takenByOthers -= 1;
        const left = (held.get(key) ?? 1) - 1;
        if (left === 0) held.delete(key);
        else held.set(key, left);
      };
    },
  };
}
