// What a person who stands before the box reads on its screen: state, address, version, and the page's address as a QR code. Pure. From
// the same snapshot as /health; without ages, so that it changes only when something did.
import { isIPv6 } from 'node:net';
import { renderUnicodeCompact } from 'uqr';
import type { HealthReport } from '../contracts/health.ts';
import type { ApplianceName } from '../contracts/topics.ts';

/** A screen of text has 80 columns and 25 rows. */
const WIDTH = 79;
const MOST_FAULTS = 6;

export interface ConsoleFacts {
  readonly appliance: ApplianceName;
  readonly version: string;
  readonly simulated: boolean;
  readonly ready: true | string;
  readonly health: HealthReport;
  /** Where the page listens. */
  readonly listen: string;
  readonly port: number;
  readonly isTls?: boolean;
  /** Of this machine, without loopback; the one to be shown first. */
  readonly addresses: readonly string[];
}

export function consoleText(facts: ConsoleFacts): string {
  const { appliance, health, ready, simulated, version } = facts;
  const url = pageUrl(facts);
  const faults = Object.entries(health.parts).filter(([, { state }]) => state !== 'ok');
  const lines = [
    `AutoWeave Edge ${version}  ${appliance.tenant}:${appliance.site}:${appliance.name}${simulated ? '  SIMULATED' : ''}`,
    ready === true ? `watching, health ${health.state}` : `not ready: ${ready}`,
    ...faults.slice(0, MOST_FAULTS).map(([part, { state, why }]) => `  ${part} ${state}: ${why}`),
    ...(faults.length > MOST_FAULTS ? [`  and ${faults.length - MOST_FAULTS} more`] : []),
    url ?? 'no address in the network',
  ].map(oneLine);
  return `${lines.join('\n')}\n${url === null ? '' : `\n${renderUnicodeCompact(url, { border: 2 })}\n`}`;
}

/** The address that a phone in the same network can open, or null. */
function pageUrl({ addresses, isTls = false, listen, port }: ConsoleFacts): string | null {
  const isOpen = ['0.0.0.0', '::'].includes(listen);
  const address = isOpen ? addresses[0] : addresses.find((own) => own === listen);
  if (address === undefined) return null;
  return `${isTls ? 'https' : 'http'}://${isIPv6(address) ? `[${address}]` : address}:${port}/`;
}

/** Reasons may quote what came from outside. */
function oneLine(text: string): string {
  const plain = text.replace(/\p{C}+/gu, ' ');
  return plain.length > WIDTH ? `${plain.slice(0, WIDTH - 1)}~` : plain;
}
