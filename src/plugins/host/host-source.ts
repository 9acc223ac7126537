// The source that a plugin's process starts from. In the shipped file build.ts puts the compressed texts in this module's place.
import { buildHostSource, type HostSource } from './build-host-source.ts';

let built: HostSource | undefined;

export function hostSource(): HostSource {
  built ??= buildHostSource();
  return built;
}
