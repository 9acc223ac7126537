/** The newest lines of a plugin's log, so many and no more. In memory: a plugin that chatters must not wear the flash out. */
import type { PluginLogLine } from '../../contracts/plugin-status.ts';

const LINES = 500;

export class LogRing {
  #lines: PluginLogLine[] = [];

  add(line: PluginLogLine): void {
    this.#lines.push(line);
    // Now and then, not for each line.
    if (this.#lines.length > 2 * LINES) this.#lines = this.#lines.slice(-LINES);
  }

  lines(): readonly PluginLogLine[] {
    return this.#lines.slice(-LINES);
  }
}
