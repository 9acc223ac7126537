// What the init script of the runtime does before it starts it, in a small root of its own.
import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { openScriptRoom, type ScriptRoom, whyNoScriptRoom } from '../support/script-room.ts';

const rules = 'run/autoweave-config/rules.conf';
/** OpenRC's own part and the change of the user are left out; the state folder is a disk of 64 KiB. */
const begin = `
  set +e
  checkpath() { :; }
  setpriv() { while [ "$1" != sh ]; do shift; done; "$@"; }
  mkdir -p /sys/fs/cgroup/edge/main
  mount -t tmpfs -o size=64k tmpfs /var/lib/autoweave
  . /etc/init.d/autoweave
`;
const kept = 'cd /var/lib/autoweave; for name in *; do echo "$name: $(head -n 1 $name)"; done; cd /;';

async function openRoom(t: Parameters<typeof openScriptRoom>[0], config: string): Promise<ScriptRoom> {
  const room = await openScriptRoom(t);
  room.write('var/lib/autoweave/made', '');
  room.write('run/autoweave-config/autoweave.json', config);
  return room;
}

suite('the init script of the runtime', { skip: whyNoScriptRoom() }, () => {
  test('rules of CONFIG replace the old ones whole, once [U6]', async (t) => {
    const room = await openRoom(t, '{}');
    room.write(rules, 'allow id 1:1\n');
    const said = room.run(`${begin} echo old >/var/lib/autoweave/rules.conf; start_pre; ${kept}
      echo applied >/var/lib/autoweave/rules.conf; start_pre; ${kept}`);
    assert.deepEqual(said.trim().split('\n'), [
      ...['rules.conf: allow id 1:1', 'rules.conf.imported: allow id 1:1'],
      ...['rules.conf: applied', 'rules.conf.imported: allow id 1:1'],
    ]);
    assert.equal(room.read('run/autoweave-boot/notes'), null);
  });

  test('on a full disk the old rules stay whole, which is said [U6]', async (t) => {
    const room = await openRoom(t, '{}');
    room.write(rules, 'allow id 1:1\n'.repeat(5_000));
    const said = room.run(`${begin} echo 'reject' >/var/lib/autoweave/rules.conf
      yes | head -c 30000 >/var/lib/autoweave/filler; start_pre 2>/dev/null; ${kept}`);
    assert.deepEqual(said.trim().split('\n'), ['filler: y', 'rules.conf: reject']);
    assert.match(
      room.read('run/autoweave-boot/notes') ?? '',
      /\tconfig\trules-not-taken\tthe USB rules of CONFIG/,
    );
  });

  test('without a policy of its own it lets every device work; with one, or without any settings, it says nothing [U6]', async (t) => {
    const shown = `${begin} start_pre; echo "$AUTOWEAVE_POLICY_MODE $AUTOWEAVE_POLICY_IMPLICIT_TARGET"`;
    assert.equal((await openRoom(t, '{}')).run(shown), 'report allow\n');
    assert.equal((await openRoom(t, '{"policy":{"mode":"enforce"}}')).run(shown), ' \n');
    assert.equal((await openRoom(t, '{}')).run(`rm /run/autoweave-config/autoweave.json; ${shown}`), ' \n');
  });
});
