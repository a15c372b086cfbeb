// Forgotten user names and passwords: what is asked without a token and answered by mail.

import assert from 'node:assert/strict';

import { refused } from '../lib/expect.mjs';
import { PASSWORD, own } from '../lib/world.mjs';

// The code in a mail: a word that follows "code" or "password" and a colon, or `code=` in a link.
function codeIn(mail) {
  const found = mail.match(/(?:code|password)[^\n:=]*[:=]\s*([A-Za-z0-9_-]{6,})/i);
  assert.ok(found, `there is no code in the mail:\n${mail}`);
  return found[1];
}

export default async function credentials({ oc, step, world, mails }) {
  const { buyer, client } = await world.shopper();
  const fresh = () => world.user(buyer.ID);
  // All of this is for who has no token.
  const nobody = (name, body) => step(`Forgotten: ${name}`, () => world.as(null, body));
  const users = {};
  for (const name of ['forgetful', 'nameless', 'once', 'quiet']) users[name] = await fresh();
  const signIn = (user, password = PASSWORD) => world.login(client, user, ['Shopper'], password);
  const service = oc.ForgottenCredentials;

  await nobody('a password is set anew with the code of a mail, once', async () => {
    const user = users.forgetful;
    const request = {
      ClientID: client.ID,
      Username: user.Username,
      URL: 'https://shop.example/reset',
    };
    const changed = {
      ClientID: client.ID,
      Username: user.Username,
      Password: 'New-horse-9-battery',
    };

    await service.SendVerificationCode(request);
    const code = codeIn(await mails.next(user.Email));
    await signIn(user);
    await service.ResetPasswordByVerificationCode(code, changed);

    await signIn(user, changed.Password);
    await refused(signIn(user), [400, 401], 'Auth.InvalidUsernameOrPassword');
    await refused(
      service.ResetPasswordByVerificationCode(code, { ...changed, Password: 'Third-horse-9-x' }),
      400,
      'PasswordReset.InvalidVerification',
    );
    await signIn(user, changed.Password);
  });

  await nobody('a code is of one user', async () => {
    const user = users.quiet;
    await service.SendVerificationCode({ ClientID: client.ID, Email: user.Email });
    const code = codeIn(await mails.next(user.Email));
    const other = {
      ClientID: client.ID,
      Username: users.once.Username,
      Password: 'Stolen-horse-9-x',
    };

    await refused(
      service.ResetPasswordByVerificationCode(code, other),
      400,
      'PasswordReset.InvalidVerification',
    );

    await signIn(users.once);
  });

  await nobody('a user name comes by mail', async () => {
    const user = users.nameless;

    await service.RetrieveUsername({ clientID: client.ID, email: user.Email });

    const mail = await mails.next(user.Email);
    assert.ok(mail.includes(user.Username), mail);
  });

  await nobody('a password for one time comes by mail', async () => {
    const user = users.once;

    await service.SendOneTimePassword({ ClientID: client.ID, Username: user.Username });

    const password = codeIn(await mails.next(user.Email));
    await signIn(user, password);
    await refused(signIn(user, password), [400, 401]);
    await signIn(user);
  });

  await nobody('who is not known is answered the same', async () => {
    const request = { ClientID: client.ID, Username: own('nobody'), URL: 'https://shop.example' };
    await service.SendVerificationCode(request);
    await service.SendOneTimePassword({ ClientID: client.ID, Username: own('nobody') });
    await service.RetrieveUsername({ clientID: client.ID, email: `${own('nobody')}@example.com` });
  });

  await nobody('what is missing is told', async () => {
    const { ID: ClientID } = client;
    await refused(
      service.SendVerificationCode({ ClientID }),
      400,
      'PasswordReset.MissingUsernameOrEmail',
    );
    await refused(
      service.SendVerificationCode({ ClientID: 'no-such-client', Username: 'a' }),
      400,
      'PasswordReset.MissingOrInvalidClientID',
    );
    await refused(
      service.SendOneTimePassword({ ClientID }),
      400,
      'OneTimePasswordRequest.UsernameOrEmailRequired',
    );
    await refused(
      service.RetrieveUsername({ clientID: client.ID }),
      400,
      'Auth.ClientIDAndEmailRequired',
    );
    await refused(
      service.ResetPasswordByVerificationCode('no-such-code', {
        ClientID,
        Username: users.quiet.Username,
        Password: 'New-horse-9-battery',
      }),
      400,
      'PasswordReset.InvalidVerification',
    );
  });
}
