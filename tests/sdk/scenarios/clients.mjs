// API clients, their secrets, and the companies that may use them.

import assert from 'node:assert/strict';

import { assignments } from '../lib/assignments.mjs';
import { crud, word } from '../lib/crud.mjs';
import { contains, ids, invalid, missing, refused } from '../lib/expect.mjs';
import { PASSWORD, claims, own } from '../lib/world.mjs';

export default async function clients(walk) {
  const { oc, sdk, step, world } = walk;
  const shop = await world.shopper();
  await crud(walk, {
    resource: 'ApiClients',
    ids: 'server',
    least: () => ({ AppName: 'Least', AccessTokenDuration: 60 }),
    full: (n) => ({
      AppName: `App ${word(n)}`,
      Active: true,
      AccessTokenDuration: 600,
      RefreshTokenDuration: 43_200,
      AnonymousTokenDuration: 1440,
      DefaultContextUserName: shop.user.Username,
      AllowAnyBuyer: true,
      AllowAnySupplier: true,
      AllowSeller: true,
      IsAnonBuyer: true,
      MinimumRequiredRoles: ['Shopper'],
      MinimumRequiredCustomRoles: ['Approver'],
      MaximumGrantedRoles: ['Shopper', 'MeAdmin'],
      MaximumGrantedCustomRoles: ['Approver', 'Picker'],
    }),
    defaults: { AssignedBuyerCount: 0, AssignedSupplierCount: 0, AnonymousTokenDuration: 10_080 },
    change: { AppName: 'Another name' },
    clears: null,
    wrong: [
      { AccessTokenDuration: 9, RefreshTokenDuration: 524_161 },
      ['AccessTokenDuration', 'RefreshTokenDuration'],
    ],
    mistyped: { AccessTokenDuration: 'long' },
    word: 'AppName',
    sortBy: 'AppName',
    roles: { read: 'ApiClientReader', write: 'ApiClientAdmin' },
  });
  await secrets(walk);
  await assigning(walk);

  await step('a client that is not active lets nobody in', async () => {
    const client = await world.client();
    await oc.ApiClients.Patch(client.ID, { Active: false });

    await refused(
      world.login(client, shop.user, ['Shopper']),
      [400, 401, 403],
      'Auth.ClientNotActive',
    );
  });

  await step('a client caps the roles of its tokens', async () => {
    await world.grant({ BuyerID: shop.buyer.ID }, ['Shopper', 'MeAdmin', 'MeAddressAdmin']);
    const client = await world.client({ MaximumGrantedRoles: ['Shopper', 'MeAdmin'] });

    const token = await world.login(client, shop.user);

    assert.deepEqual([claims(token).role].flat().sort(), ['MeAdmin', 'Shopper']);
    await oc.ApiClients.Patch(client.ID, { MinimumRequiredRoles: ['OrderAdmin'] });
    await refused(world.login(client, shop.user), [400, 401, 403], 'Auth.InsufficientRoles');
  });

  await step('its default context user cannot be deleted', async () => {
    const user = await world.user(shop.buyer.ID);
    await world.client({ DefaultContextUserName: user.Username });

    await refused(
      oc.Users.Delete(shop.buyer.ID, user.ID),
      [400, 409],
      'User.CannotDeleteDefaultContextUser',
    );
    await oc.Users.Get(shop.buyer.ID, user.ID);
  });

  await step('the last client with full access cannot be deleted', async () => {
    await refused(
      oc.ApiClients.Delete(world.adminClient.clientID),
      [400, 409],
      'ApiClient.CannotDeleteLastFullAccess',
    );
    await sdk.ApiClients.Get(world.adminClient.clientID);
  });
}

async function secrets({ oc, sdk, step, world }) {
  const client = await world.client({
    DefaultContextUserName: (await world.shopper()).user.Username,
  });
  const login = (secret) => sdk.Auth.ClientCredentials(secret, client.ID, ['Shopper']);

  await step('a secret is shown once', async () => {
    const made = await oc.ApiClients.CreateSecret(client.ID, { ID: 'first', Name: 'First' });

    assert.ok(made.ClientSecret.length >= 32, made.ClientSecret);
    await login(made.ClientSecret);
    const listed = await oc.ApiClients.ListSecrets(client.ID);
    assert.deepEqual(ids(listed), ['first']);
    const got = await oc.ApiClients.GetSecret(client.ID, 'first');
    contains(got, { ID: 'first', Name: 'First', Expiration: null });
    const shown = JSON.stringify([listed, got, await oc.ApiClients.Get(client.ID)]);
    assert.ok(!shown.includes(made.ClientSecret), 'the secret is shown again');
  });

  await step('two secrets hold side by side until one is deleted', async () => {
    const second = await oc.ApiClients.CreateSecret(client.ID, { Name: 'Second' });
    await login(second.ClientSecret);

    await oc.ApiClients.DeleteSecret(client.ID, second.ID);

    await refused(login(second.ClientSecret), [400, 401]);
    await missing(oc.ApiClients.GetSecret(client.ID, second.ID), second.ID);
    await missing(oc.ApiClients.DeleteSecret(client.ID, second.ID), second.ID);
  });

  await step('a secret is renamed and expires', async () => {
    const made = await oc.ApiClients.CreateSecret(client.ID, { ID: own('secret'), Name: 'Third' });
    const Expiration = '2040-01-02T03:04:05+00:00';

    const patched = await oc.ApiClients.PatchSecret(client.ID, made.ID, {
      Name: '3rd',
      Expiration,
    });

    contains(patched, { ID: made.ID, Name: '3rd', Expiration });
    contains(await oc.ApiClients.GetSecret(client.ID, made.ID), patched);
    await login(made.ClientSecret);
    await refused(
      oc.ApiClients.PatchSecret(client.ID, made.ID, { Expiration: '2001-01-01T00:00:00Z' }),
      400,
      'ApiClientSecret.InvalidExpirationDate',
    );
    await invalid(oc.ApiClients.CreateSecret(client.ID, {}), 'Name');
  });
}

async function assigning(walk) {
  const { oc, step, world } = walk;
  const [buyer, supplier] = [await world.buyer(), await world.supplier()];
  const client = await world.client({ AllowAnyBuyer: false, AllowAnySupplier: false });
  const toBuyer = { ApiClientID: client.ID, BuyerID: buyer.ID };
  const toSupplier = { ApiClientID: client.ID, SupplierID: supplier.ID };

  await step('nobody of a company that a client is not assigned to logs in', async () => {
    const user = await world.user(buyer.ID);
    await world.grant({ BuyerID: buyer.ID }, ['Shopper']);
    await refused(oc.Auth.Login(user.Username, PASSWORD, client.ID), [400, 401, 403]);

    await oc.ApiClients.SaveAssignment(toBuyer);

    await oc.Auth.Login(user.Username, PASSWORD, client.ID);
    contains(await oc.ApiClients.Get(client.ID), {
      AssignedBuyerCount: 1,
      AssignedSupplierCount: 0,
    });
  });
  await assignments(walk, {
    title: 'ApiClients',
    save: (sample) => oc.ApiClients.SaveAssignment(sample),
    list: (query) => oc.ApiClients.ListAssignments(query),
    remove: ({ BuyerID, SupplierID }) =>
      BuyerID
        ? oc.ApiClients.DeleteBuyerAssignment(client.ID, BuyerID)
        : oc.ApiClients.DeleteSupplierAssignment(client.ID, SupplierID),
    samples: [toSupplier, toBuyer],
    ours: { apiClientID: client.ID },
    queries: [
      [{ supplierID: supplier.ID }, [0]],
      [{ buyerID: buyer.ID }, [1]],
    ],
    dangling: [
      [{ ...toBuyer, BuyerID: 'no-such-buyer' }, 'no-such-buyer'],
      [{ ...toBuyer, ApiClientID: 'no-such-client' }, 'no-such-client'],
    ],
  });
  await step('a client is taken from a buyer', async () => {
    await oc.ApiClients.DeleteBuyerAssignment(client.ID, buyer.ID);
    contains((await oc.ApiClients.ListAssignments({ apiClientID: client.ID })).Items, []);
    contains(await oc.ApiClients.Get(client.ID), { AssignedBuyerCount: 0 });
  });
}
