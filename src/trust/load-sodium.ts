import type { default as Sodium } from 'libsodium-wrappers';

/**
 * libsodium, compiled to WebAssembly. Loaded when it is first needed: it costs 20 ms and 14 MB, which a daemon without
 * plugins and a command such as `version` do not pay.
 */
export async function loadSodium(): Promise<typeof Sodium> {
  const { default: sodium } = await import('libsodium-wrappers');
  await sodium.ready;
  return sodium;
}
