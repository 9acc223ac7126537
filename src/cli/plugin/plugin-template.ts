// What `autoweave plugin init` writes. In the bundle of the product the API's source is carried inside (build.ts).
import packageJson from '../../../package.json' with { type: 'json' };
import { pluginApiVersion } from '../../contracts/plugin-manifest.ts';
import { pluginApiSource } from './plugin-api-source.ts';

const { '@types/node': nodeTypes, esbuild, typescript } = packageJson.devDependencies;

/** path -> text */
export function pluginTemplate(name: string): ReadonlyMap<string, string> {
  const json = (value: unknown) => `${JSON.stringify(value, null, 2)}\n`;
  return new Map([
    [
      'package.json',
      json({
        name,
        private: true,
        type: 'module',
        scripts: { check: 'tsc' },
        devDependencies: { '@types/node': nodeTypes, esbuild, typescript },
      }),
    ],
    ['tsconfig.json', json({ compilerOptions, include: ['src'] })],
    ['plugin.json', json(manifest(name))],
    ['src/plugin.ts', source],
    ['src/plugin-api.ts', pluginApiSource()],
    ['.gitignore', 'node_modules/\n*.awp\n*.awp.map\n*.minisig\n*.key\n'],
  ]);
}

const compilerOptions = {
  target: 'es2024',
  lib: ['es2024'],
  module: 'nodenext',
  moduleResolution: 'nodenext',
  types: ['node'],
  noEmit: true,
  strict: true,
  erasableSyntaxOnly: true,
  verbatimModuleSyntax: true,
  allowImportingTsExtensions: true,
};

const manifest = (name: string) => ({
  name,
  version: '0.1.0',
  title: name,
  description: 'Counts the devices that are plugged in.',
  api: pluginApiVersion,
  channel: 'dev',
  securityCounter: 0,
  level: 'high',
  permissions: { emit: ['counted'], kv: { maxBytes: 4_096 } },
  subscriptions: ['usb.device.added'],
});

const source = `// Counts the devices that are plugged in, over restarts too, and tells each count as the event plugin.<name>.counted.
import { definePlugin, type UsbDeviceData } from './plugin-api.ts';

export default definePlugin({
  async onEvent(event, { kv, emit, log }) {
    const { device } = event.data as UsbDeviceData;
    const count = Number((await kv.get('count')) ?? 0) + 1;
    await kv.set('count', count);
    await emit('counted', { count, product: device.product ?? null }, { causedBy: event });
    log.info(\`\${event.subject} is device number \${count}\`);
  },
});
`;
