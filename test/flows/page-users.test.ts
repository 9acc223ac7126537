// The view of users in Chromium, against the status server with real files of users and audit.
import assert from 'node:assert/strict';
import test from 'node:test';
import { accessFixture } from '../status/access-fixture.ts';
import { goodPassword } from '../status/api-client.ts';
import { withoutChromium } from '../support/chromium.ts';
import { person, startPagePerson } from '../support/page-person.ts';

test('an administrator gives somebody a new password on the page, with the own one besides [S8]', {
  skip: withoutChromium(),
  timeout: 400_000,
}, async (t) => {
  const { client, claimCode, server } = await accessFixture(t);
  const { errors, page, ...boss } = await startPagePerson(t, server.url);
  // What is told in the corner covers no button then.
  await page.setViewport({ width: 1_280, height: 1_400 });
  await boss.claim(claimCode());
  await boss.go('users');
  await boss.fill({ name: 'ada', password: goodPassword }, '.card[aria-label="Add a user"] form');
  await page.locator('.card[aria-label="People"] summary').click();
  const give = (currentPassword: string) =>
    boss.fill({ password: 'another long one', currentPassword }, '.card[aria-label="People"] form');
  await give('a guess');
  await boss.see('the current password is not this one');
  assert.equal((await client().logIn('ada', goodPassword)).status, 200);
  await give(person.password);
  await boss.see('The password is changed; the sessions of this user have ended.');
  assert.equal((await client().logIn('ada', 'another long one')).status, 200);
  assert.deepEqual(errors, []);
});
