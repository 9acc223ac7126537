// `autoweave plugin …`: from an author's folder to a bundle that appliances take.
import { actUsage } from './appliance/appliance-client.ts';
import { commandGroup } from './command-group.ts';
import { buildAction } from './plugin/build-action.ts';
import { initAction } from './plugin/init-action.ts';
import { manageActions } from './plugin/manage-actions.ts';
import { signAction } from './plugin/sign-action.ts';
import { verifyAction } from './plugin/verify-action.ts';

export const pluginCommand = commandGroup({
  name: 'plugin',
  summary: 'Write, build, sign and verify plugins; install and watch them on an appliance',
  notes: `A bundle is one file, <name>-<version>.awp, and its signature <file>.minisig, which the stock \`minisign\` makes and checks too.
KEY and PUB are made by \`autoweave key new\`. Building needs esbuild in the author's project (\`plugin init\` names it).

Of a running appliance:
${actUsage}
  --yes              do not ask`,
  elsewhere: {
    dev: {
      usage: 'dev [DIR] [--events FILE] [--settings FILE]',
      about:
        'Run the plugin in DIR with simulated devices, print its log and events, load it again after each save; Ctrl-C ends',
    },
    test: {
      usage: 'test [DIR] [--events FILE] [--settings FILE]',
      about: 'Run it once; exit code 0 when it started, handled every event and broke no rule',
    },
  },
  actions: { init: initAction, build: buildAction, sign: signAction, verify: verifyAction, ...manageActions },
});
