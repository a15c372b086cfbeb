// Tokens: each way to get one, what is in it, what cuts its roles, what ends it.

import assert from 'node:assert/strict';
import { createPublicKey, verify } from 'node:crypto';

import { contains, missing, refused } from '../lib/expect.mjs';
import { PASSWORD, claims, own, rolesOf } from '../lib/world.mjs';

export default async function tokens(walk) {
  const { oc, sdk, step, world } = walk;
  const roles = ['Shopper', 'MeAdmin', 'MeAddressAdmin'];
  const shop = await world.shopper(roles);
  const { user, client, buyer } = shop;
  const login = (scope, custom) => oc.Auth.Login(user.Username, PASSWORD, client.ID, scope, custom);

  await step('Login: a token of the user, with all roles or those that are asked for', async () => {
    const token = await login();

    contains(token, { token_type: 'bearer' });
    assert.ok(token.expires_in > 3500 && token.expires_in <= 3600, `${token.expires_in}`);
    assert.equal(typeof token.refresh_token, 'string');
    contains(claims(token.access_token), {
      usr: user.Username,
      cid: client.ID,
      usrtype: 'buyer',
    });
    assert.deepEqual(rolesOf(token.access_token), [...roles].sort());
    assert.deepEqual(rolesOf((await login(['Shopper'])).access_token), ['Shopper']);
    const cut = await login(['Shopper', 'FullAccess', 'BuyerAdmin']);
    assert.deepEqual(rolesOf(cut.access_token), ['Shopper']);
  });

  await step('custom roles come from profiles, too', async () => {
    await world.grant({ BuyerID: buyer.ID, UserID: user.ID }, [], { CustomRoles: ['Approver'] });

    assert.deepEqual(rolesOf((await login()).access_token), [...roles, 'Approver'].sort());
    assert.deepEqual(rolesOf((await login([], ['Approver'])).access_token), ['Approver']);
  });

  await step('Login: wrong passwords, unknown users and unknown clients look alike', async () => {
    const code = 'Auth.InvalidUsernameOrPassword';
    const wrong = await refused(oc.Auth.Login(user.Username, 'wrong', client.ID), [400, 401], code);
    const unknown = await refused(
      oc.Auth.Login(own('nobody'), 'wrong', client.ID),
      [400, 401],
      code,
    );
    assert.equal(wrong.status, unknown.status);
    assert.deepEqual(wrong.errors, unknown.errors);
    assert.equal(typeof wrong.response.data.error, 'string');
    await refused(
      oc.Auth.Login(user.Username, PASSWORD, 'no-such-client'),
      [400, 401],
      'ApiClient.InvalidClientID',
    );
    await login();
  });

  await step('a token is signed by a key that Certs gives', async () => {
    const { access_token: token } = await login();
    const [head, body, signature] = token.split('.');
    const { alg, kid } = JSON.parse(Buffer.from(head, 'base64url'));

    const key = await oc.Certs.GetPublicKey(kid);

    contains(key, { kty: 'RSA', alg: 'RS256', use: 'sig', kid });
    assert.equal(alg, 'RS256');
    const holds = verify(
      'RSA-SHA256',
      Buffer.from(`${head}.${body}`),
      createPublicKey({ key, format: 'jwk' }),
      Buffer.from(signature, 'base64url'),
    );
    assert.ok(holds, 'the signature is not of this key');
    await refused(oc.Certs.GetPublicKey('no-such-key'), 404);
  });

  await step('a token that was changed, or that is none, opens nothing', async () => {
    const { access_token: token } = await login();
    const [head, body, signature] = token.split('.');
    const forged = { ...claims(token), role: ['FullAccess'], usrtype: 'admin' };
    const encoded = (value) => Buffer.from(JSON.stringify(value)).toString('base64url');
    const unsigned = encoded({ alg: 'none', typ: 'JWT' });

    for (const bad of [
      `${head}.${encoded(forged)}.${signature}`,
      `${unsigned}.${encoded(forged)}.`,
      `${head}.${body}.${signature.slice(0, -8)}AAAAAAAA`,
      `${head}.${body}.`,
    ]) {
      await refused(oc.Me.Get({ accessToken: bad }), 401);
    }
    await world.as(null, () => refused(oc.Me.Get(), 401));
    await oc.Me.Get({ accessToken: token });
  });

  await step('RefreshToken: the SDK refreshes by itself, as often as it likes', async () => {
    const { refresh_token: refresh } = await login(['Shopper']);

    const first = await oc.Auth.RefreshToken(refresh, client.ID);
    const second = await oc.Auth.RefreshToken(refresh, client.ID);

    for (const token of [first, second]) {
      contains(claims(token.access_token), { usr: user.Username, cid: client.ID });
      assert.deepEqual(rolesOf(token.access_token), ['Shopper']);
      await oc.Me.Get({ accessToken: token.access_token });
    }
    const other = await world.client();
    await refused(oc.Auth.RefreshToken(refresh, other.ID), [400, 401]);
    await refused(oc.Auth.RefreshToken('no-such-token', client.ID), [400, 401]);
  });

  await step('ElevatedLogin: a client with a secret wants it in every flow', async () => {
    const guarded = await world.client({ RefreshTokenDuration: 60 });
    const { ClientSecret } = await sdk.ApiClients.CreateSecret(guarded.ID, { Name: 'First' });

    const token = await oc.Auth.ElevatedLogin(ClientSecret, user.Username, PASSWORD, guarded.ID);

    contains(claims(token.access_token), { usr: user.Username, cid: guarded.ID });
    await refused(oc.Auth.Login(user.Username, PASSWORD, guarded.ID), [400, 401]);
    await refused(oc.Auth.ElevatedLogin('wrong', user.Username, PASSWORD, guarded.ID), [400, 401]);
  });

  await step('ClientCredentials: a client acts as its default context user', async () => {
    const guarded = await world.client({ DefaultContextUserName: user.Username });
    const { ClientSecret } = await sdk.ApiClients.CreateSecret(guarded.ID, { Name: 'First' });

    const token = await oc.Auth.ClientCredentials(ClientSecret, guarded.ID, ['Shopper']);

    contains(claims(token.access_token), { usr: user.Username, usrtype: 'buyer', cid: guarded.ID });
    assert.deepEqual(rolesOf(token.access_token), ['Shopper']);
    await refused(oc.Auth.ClientCredentials('wrong', guarded.ID), [400, 401]);
    const { adminClient } = world;
    const admin = await oc.Auth.ClientCredentials(adminClient.secret, adminClient.clientID);
    contains(claims(admin.access_token), { usrtype: 'admin' });
    assert.ok(rolesOf(admin.access_token).includes('FullAccess'));
  });

  await step(
    'Anonymous: a client for anonymous shopping lets everybody in, without refresh',
    async () => {
      const anonymous = await world.client({
        IsAnonBuyer: true,
        DefaultContextUserName: user.Username,
      });

      const token = await oc.Auth.Anonymous(anonymous.ID, ['Shopper']);

      contains(token, { token_type: 'bearer', refresh_token: null });
      contains(claims(token.access_token), { usr: user.Username, usrtype: 'buyer' });
      assert.equal(typeof claims(token.access_token).orderid, 'string');
      assert.deepEqual(rolesOf(token.access_token), ['Shopper']);
      await oc.Me.ListProducts({}, { accessToken: token.access_token });
      await refused(oc.Auth.Anonymous(client.ID), [400, 401]);
    },
  );

  await step('UserInfo: who the token is of, as a token of its own', async () => {
    const { access_token: token } = await login();

    const { identity_token: identity } = await oc.UserInfo.GetToken({ accessToken: token });

    contains(claims(identity), { preferred_username: user.Username });
    await world.as(null, () => refused(oc.UserInfo.GetToken(), 401));
  });

  await ending(walk, shop);
}

async function ending({ oc, sdk, step, world }, { buyer, client }) {
  const fresh = () => world.user(buyer.ID);
  const login = (user, password = PASSWORD) =>
    oc.Auth.Login(user.Username, password, client.ID, ['Shopper']);

  await step('an admin ends the tokens of a user', async () => {
    const user = await fresh();
    const token = await login(user);

    await oc.Users.RevokeUserTokens(buyer.ID, user.ID);

    await refused(oc.Me.Get({ accessToken: token.access_token }), 401);
    await refused(oc.Auth.RefreshToken(token.refresh_token, client.ID), [400, 401]);
    const again = await login(user);
    await oc.Me.Get({ accessToken: again.access_token });
  });

  await step('a user ends its own tokens', async () => {
    const user = await fresh();
    const token = await login(user);

    await oc.Me.RevokeTokens({ accessToken: token.access_token });

    await refused(oc.Me.Get({ accessToken: token.access_token }), 401);
    await refused(oc.Auth.RefreshToken(token.refresh_token, client.ID), [400, 401]);
  });

  await step('users that are not active, or gone, do not log in', async () => {
    const user = await fresh();
    await sdk.Users.Patch(buyer.ID, user.ID, { Active: false });
    await refused(login(user), [400, 401, 403], 'Auth.UserNotActive');
    await sdk.Users.Delete(buyer.ID, user.ID);
    await refused(login(user), [400, 401], 'Auth.InvalidUsernameOrPassword');
  });

  const lock = { AllowedFailedAttempts: 3, LockoutDuration: 0 };
  const locking = async (party, user, unlock, count) => {
    await world.grant(party, ['Shopper'], { PasswordConfig: lock });
    for (let attempt = 0; attempt < 3; attempt += 1) {
      await refused(login(user, 'wrong'), [400, 401]);
    }
    await refused(login(user), [400, 401, 403], 'Auth.LockedOut');
    assert.equal((await count()).FailedLoginAttempts, 3);
    await unlock();
    await login(user);
    assert.equal((await count()).FailedLoginAttempts, 0);
  };
  await step('too many wrong passwords lock a buyer’s user, until it is unlocked', async () => {
    const user = await fresh();
    const party = { BuyerID: buyer.ID, UserID: user.ID };
    const unlock = () => oc.Users.UnlockUserAccount(buyer.ID, user.ID);
    await locking(party, user, unlock, () => oc.Users.Get(buyer.ID, user.ID));
  });
  await step('a supplier’s user is locked and unlocked, and its tokens end', async () => {
    const { ID: id } = await world.supplier();
    const user = await sdk.SupplierUsers.Create(id, world.userBody());
    const unlock = () => oc.SupplierUsers.UnlockUserAccount(id, user.ID);
    const party = { SupplierID: id, UserID: user.ID };
    await locking(party, user, unlock, () => oc.SupplierUsers.Get(id, user.ID));
    const token = await login(user);
    await oc.SupplierUsers.RevokeUserTokens(id, user.ID);
    await refused(oc.Me.Get({ accessToken: token.access_token }), 401);
    await missing(oc.SupplierUsers.UnlockUserAccount(id, 'no-such-user'), 'no-such-user');
  });
  await step('an admin is locked and unlocked, and its tokens end', async () => {
    const user = await sdk.AdminUsers.Create(world.userBody());
    const unlock = () => oc.AdminUsers.UnlockUserAccount(user.ID);
    await locking({ UserID: user.ID }, user, unlock, () => oc.AdminUsers.Get(user.ID));
    const token = await login(user);
    await oc.AdminUsers.RevokeUserTokens(user.ID);
    await refused(oc.Me.Get({ accessToken: token.access_token }), 401);
  });
}
