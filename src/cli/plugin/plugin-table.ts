// Plugins -> a table for a terminal, with the reason below what does not run.
import type { PluginStatus } from '../../contracts/plugin-status.ts';
import { plainLine } from '../plain-text.ts';

const MIB = 1024 * 1024;

export function pluginTable(plugins: readonly PluginStatus[]): string {
  if (plugins.length === 0) return 'no plugin is installed\n';
  const head = ['NAME', 'VERSION', 'STATE', 'LEVEL', 'MEMORY', 'EVENTS', 'STARTS', 'PARKED'];
  const rows = plugins.map((plugin) => [
    plainLine(plugin.name),
    plainLine(plugin.version ?? '-'),
    plainLine(plugin.state),
    plainLine(plugin.level ?? '-'),
    memoryText(plugin),
    String(plugin.delivered),
    String(plugin.starts),
    String(plugin.parked),
  ]);
  const widths = head.map((title, column) =>
    Math.max(title.length, ...rows.map((row) => row[column]?.length ?? 0)),
  );
  const line = (row: readonly string[]) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd();
  const insecure = plugins.some(({ isolation }) => isolation.missing.length > 0);
  const lines = [line(head)];
  for (const [index, plugin] of plugins.entries()) {
    lines.push(line(rows[index] ?? []));
    if (plugin.state !== 'running')
      lines.push(`  ${plugin.code === null ? '' : `${plugin.code}: `}${plugin.reason}`);
    if (plugin.fellBack !== null)
      lines.push(
        `  ${plugin.fellBack.version} did not stay up and was taken back: ${plugin.fellBack.reason}`,
      );
  }
  if (insecure) lines.push('INSECURE: these plugins run without their full boundary (--insecure-plugins)');
  return `${lines.map(plainLine).join('\n')}\n`;
}

function memoryText({ limits, memoryBytes }: PluginStatus): string {
  if (memoryBytes === null) return '-';
  const used = `${(memoryBytes / MIB).toFixed(1)}`;
  return limits === null ? `${used} MiB` : `${used}/${limits.memoryMaxBytes / MIB} MiB`;
}
