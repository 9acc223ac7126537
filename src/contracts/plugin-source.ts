// What an author writes, `plugin.json` in his folder: the manifest without what `autoweave plugin build` fills in.
import { type Static, Type } from 'typebox';
import { PluginManifest } from './plugin-manifest.ts';

const { manifestVersion: _, entry: __, members: ___, ...authored } = PluginManifest.properties;

export const PluginSource = Type.Object(
  {
    $schema: Type.Optional(Type.String()),
    main: Type.Optional(
      Type.String({
        description: 'Source that is bundled, relative to plugin.json; default `src/plugin.ts`.',
      }),
    ),
    assets: Type.Optional(
      Type.String({ description: 'Folder whose files become members; default `assets`, if it is there.' }),
    ),
    ...authored,
  },
  { additionalProperties: false },
);
export type PluginSource = Static<typeof PluginSource>;
