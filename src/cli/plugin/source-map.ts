// Places in a plugin's built code, in any text -> the author's files and lines. `plugin build` leaves the map beside the bundle; dev, test and
// logs read it at the author's desk, so that no appliance carries or pays for one.
import { SourceMap } from 'node:module';
import path from 'node:path';
import { type Static, Type } from 'typebox';
import type { PluginManifest } from '../../contracts/plugin-manifest.ts';
import { schemaCheck } from '../../lib/schema-check.ts';
import { cliError } from '../cli-error.ts';

/** ECMA-426; keys that begin with `x_` are for whoever makes one. */
const PluginSourceMap = Type.Object({
  version: Type.Literal(3),
  sources: Type.Array(Type.String()),
  names: Type.Array(Type.String()),
  mappings: Type.String(),
  x_plugin: Type.Object({ name: Type.String(), version: Type.String() }),
});
type PluginSourceMap = Static<typeof PluginSourceMap>;

const check = schemaCheck(PluginSourceMap);

/** In a trace: `file:///plugin/plugin.mjs:12:9`, in a sandbox or wherever the code was unpacked to. */
const place = /(?:file:\/\/)?(?:\/[^\s:()/]+)*\/plugin\.mjs:(\d{1,9}):(\d{1,9})/g;

export function sourceMapText(
  made: Uint8Array,
  { name, version }: Pick<PluginManifest, 'name' | 'version'>,
): string {
  const map = JSON.parse(Buffer.from(made).toString()) as Readonly<Record<string, unknown>>;
  return `${JSON.stringify({ ...map, x_plugin: { name, version } })}\n`;
}

/** @throws AppError `cli.unreadable` */
export function parseSourceMap(text: string, file: string): PluginSourceMap {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    if (!(cause instanceof SyntaxError)) throw cause;
  }
  const checked = check(value);
  if (checked.ok) return checked.value;
  throw cliError('cli.unreadable', `read ${file}: it is no map that \`autoweave plugin build\` has made`);
}

/** @param folder of the plugin, as it is to stand before its files */
export function toSourcePlaces(map: PluginSourceMap, folder = ''): (text: string) => string {
  const lines = new SourceMap({ ...map, file: '', sourcesContent: [], sourceRoot: '' });
  return (text) =>
    text.replace(place, (built, line: string, column: string) => {
      const found = lines.findEntry(Number(line) - 1, Number(column) - 1);
      // The nearest one before may be of another line: what the bundler itself has written comes from nowhere.
      if (!('originalSource' in found) || found.generatedLine !== Number(line) - 1) return built;
      if (typeof found.originalSource !== 'string') return built;
      const file = path.join(folder, found.originalSource);
      return `${file}:${found.originalLine + 1}:${found.originalColumn + 1}`;
    });
}
