// The view of users in Chromium, against the status server with real files of users and audit.
import assert from 'node:assert/strict';
import test from 'node:test';
import { accessFixture } from '../status/access-fixture.ts';
import { goodPassword } from '../status/api-client.ts';
import { withoutChromium } from '../support/chromium.ts';
import { person, startPagePerson } from '../support/page-person.ts';
import { until } from '../support/until.ts';

test('an administrator adds a user, gives him another role and a new password, and makes a token, each with the own password [S8]', {
  skip: withoutChromium(),
  timeout: 400_000,
}, async (t) => {
  const { client, claimCode, server } = await accessFixture(t);
  const { errors, page, ...boss } = await startPagePerson(t, server.url);
  // What is told in the corner covers no button then.
  await page.setViewport({ width: 1_280, height: 1_400 });
  await boss.claim(claimCode());
  await boss.go('users');
  const guess = { currentPassword: 'a guess' };
  const own = { currentPassword: person.password };
  const wrong = 'the current password is not this one';

  const adding = '.card[aria-label="Add a user"] form';
  const ada = { name: 'ada', password: goodPassword };
  await boss.fill({ ...ada, ...guess }, adding);
  await boss.see(wrong);
  await boss.fill({ ...ada, ...own }, adding);
  await boss.see('The user was added.');
  assert.equal((await client().logIn('ada', goodPassword)).status, 200);

  await page.locator('button[aria-label="Change ada"]').click();
  const changing = '.card[aria-label="People"] form';
  await boss.fill(own, changing);
  await boss.see('Neither the role nor the password is another one.');
  const next = 'another long one';
  await boss.fill({ password: next, ...own }, changing);
  await boss.see('The user is changed; the sessions of this user have ended.');
  assert.equal((await client().logIn('ada', next)).status, 200);

  await page.locator('button[aria-label="Change ada"]').click();
  await page.select(`${changing} select`, 'operator');
  await boss.fill(own, changing);
  const roleOfAda = async () => {
    const { json } = await client().logIn('ada', next);
    return (json.user as { readonly role: string }).role;
  };
  await until('the role is another one', async () => (await roleOfAda()) === 'operator');

  const making = '.card[aria-label="Make a token"] form';
  await boss.fill({ name: 'laptop', ...own }, making);
  await boss.see('Copy it now, it is shown this once:');
  assert.deepEqual(errors, []);
});
