// What is left of a session whose process has ended: a real process, a real Redis that is slow to answer.
import assert from 'node:assert/strict';
import test from 'node:test';
import { openTestWorld, sessionMaker } from './plugin-world.ts';

test('a process that is gone before Redis answers gets no events any more, and nothing goes on listening for it [P9]', {
  timeout: 120_000,
}, async (t) => {
  const test = await openTestWorld(t);
  const { onAppended, openConsumer } = test.world;
  const [asked, answer] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  const opened = Promise.withResolvers<void>();
  let listeners = 0;
  const world: typeof test.world = {
    ...test.world,
    async openConsumer(name, options) {
      asked.resolve();
      await answer.promise;
      const cursor = await openConsumer(name, options);
      setImmediate(opened.resolve);
      return cursor;
    },
    onAppended(listener) {
      listeners += 1;
      const stop = onAppended(listener);
      return () => {
        listeners -= 1;
        stop();
      };
    },
  };
  const maker = await sessionMaker({ ...test, world }, { code: 'export default {};' });
  const { ended, session } = await maker.open();
  await asked.promise;
  session.kill('SIGKILL');
  await ended;
  answer.resolve();
  await opened.promise;
  assert.equal(listeners, 0);
});
