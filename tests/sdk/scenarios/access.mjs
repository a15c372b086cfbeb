// Who may do what: security profiles, impersonation, and the borders of companies.

import assert from 'node:assert/strict';

import { assignments } from '../lib/assignments.mjs';
import { crud, word } from '../lib/crud.mjs';
import { contains, ids, missing, refused } from '../lib/expect.mjs';
import * as things from '../lib/things.mjs';
import { claims, rolesOf } from '../lib/world.mjs';

export default async function access(walk) {
  const { oc, sdk, step, world } = walk;
  await crud(walk, {
    resource: 'SecurityProfiles',
    xp: false,
    least: () => ({ Name: 'Least' }),
    full: (n) => ({
      Name: `Profile ${word(n)}`,
      Roles: ['Shopper', 'MeAdmin'],
      CustomRoles: ['Approver'],
      PasswordConfig: { MinimumCharacterCount: 12, NumericRequired: true },
    }),
    defaults: { IsExternalRoleGroup: false },
    clears: 'PasswordConfig',
    wrong: [{ Name: things.long(101), Roles: ['NoRole'] }, ['Name', 'Roles']],
    mistyped: { Roles: 'Shopper' },
    // What reads them is the role that assigns them.
    roles: { read: 'SetSecurityProfile' },
  });
  await step('SecurityProfiles: SecurityProfileAdmin writes', async () => {
    await world.as(await world.tokenWith('SecurityProfileAdmin'), async () => {
      const made = await oc.SecurityProfiles.Create({ Name: 'Made', Roles: ['Shopper'] });
      await oc.SecurityProfiles.Patch(made.ID, { Name: 'Changed' });
      await oc.SecurityProfiles.Delete(made.ID);
    });
  });
  await profiles(walk);
  await impersonation(walk);
  await borders(walk);

  await step('a refusal says which roles would do', async () => {
    const token = await world.tokenWith('LocaleReader');

    const refusal = await world.as(token, () => refused(oc.Products.Create({ Name: 'No' }), 403));

    assert.equal(refusal.errorCode, 'Auth.InsufficientRoles');
    assert.ok(JSON.stringify(refusal.errors).includes('ProductAdmin'));
    const page = await sdk.Products.List({ filters: { Name: 'No' } });
    assert.deepEqual(page.Items, []);
  });
}

async function profiles(walk) {
  const { oc, sdk, step, world } = walk;
  const { buyer, user, group, client } = await world.shopper();
  const supplier = await world.supplier();
  const profile = await sdk.SecurityProfiles.Create({ Name: 'Given', Roles: ['MeAdmin'] });
  const at = (party) => ({ SecurityProfileID: profile.ID, ...party });

  await assignments(walk, {
    title: 'SecurityProfiles',
    save: (sample) => oc.SecurityProfiles.SaveAssignment(sample),
    list: (query) => oc.SecurityProfiles.ListAssignments(query),
    remove: (sample) =>
      oc.SecurityProfiles.DeleteAssignment(profile.ID, {
        buyerID: sample.BuyerID,
        supplierID: sample.SupplierID,
        userID: sample.UserID,
        userGroupID: sample.UserGroupID,
      }),
    samples: [
      at({ BuyerID: buyer.ID, UserID: user.ID }),
      at({ BuyerID: buyer.ID, UserGroupID: group.ID }),
      at({ BuyerID: buyer.ID, UserID: null, UserGroupID: null }),
      at({ SupplierID: supplier.ID }),
    ],
    ours: { securityProfileID: profile.ID },
    queries: [
      [{ buyerID: buyer.ID }, [0, 1, 2]],
      [{ supplierID: supplier.ID }, [3]],
      [{ buyerID: buyer.ID, userID: user.ID }, [0]],
      [{ buyerID: buyer.ID, userGroupID: group.ID }, [1]],
      [{ buyerID: buyer.ID, level: 'Company' }, [2]],
      [{ level: 'User' }, [0]],
      [{ level: 'Group' }, [1]],
      [{ commerceRole: 'Supplier' }, [3]],
    ],
    dangling: [
      [at({ BuyerID: 'no-such-buyer' }), 'no-such-buyer'],
      [at({ BuyerID: buyer.ID, UserID: 'no-such-user' }), 'no-such-user'],
      [{ SecurityProfileID: 'no-such-profile', BuyerID: buyer.ID }, 'no-such-profile'],
    ],
  });

  await step('roles of user, group and company add up', async () => {
    await world.grant({ BuyerID: buyer.ID, UserGroupID: group.ID }, ['MeAddressAdmin']);
    await world.grant({ BuyerID: buyer.ID, UserID: user.ID }, ['MeCreditCardAdmin']);

    const token = await world.login(client, user);

    const all = ['MeAddressAdmin', 'MeAdmin', 'MeCreditCardAdmin', 'Shopper'];
    assert.deepEqual(rolesOf(token), all);
    assert.deepEqual((await oc.Users.Get(buyer.ID, user.ID)).AvailableRoles.sort(), all);
  });

  await step('a profile goes to a buyer or a supplier, a group or a user', async () => {
    const both = at({ BuyerID: buyer.ID, SupplierID: supplier.ID });
    await refused(
      oc.SecurityProfiles.SaveAssignment(both),
      400,
      'PartyAssignment.CannotSpecifyBuyerAndSupplier',
    );
    const mixed = at({ BuyerID: buyer.ID, UserID: user.ID, UserGroupID: group.ID });
    await refused(
      oc.SecurityProfiles.SaveAssignment(mixed),
      400,
      'PartyAssignment.CannotSpecifyGroupAndUser',
    );
  });
}

async function impersonation(walk) {
  const { oc, sdk, step, world } = walk;
  const { buyer, user, client } = await world.shopper();
  const { ID: profileID } = await sdk.SecurityProfiles.Create({
    Name: 'As them',
    Roles: ['Shopper'],
  });
  const desk = await sdk.AdminUserGroups.Create({ Name: 'Help desk' });
  // One configuration for the same parties is enough, so each has a client of its own.
  const clients = await Promise.all(Array.from({ length: 60 }, () => world.client()));
  const config = () => ({ SecurityProfileID: profileID, ClientID: clients.pop().ID });

  await crud(walk, {
    resource: 'ImpersonationConfigs',
    xp: false,
    least: () => ({ ...config(), ImpersonationGroupID: desk.ID }),
    full: () => ({
      ...config(),
      ImpersonationGroupID: desk.ID,
      BuyerID: buyer.ID,
      UserID: user.ID,
    }),
    change: { UserID: null },
    clears: 'UserID',
    wrong: [{ SecurityProfileID: null, ClientID: null }, ['SecurityProfileID', 'ClientID']],
    mistyped: { BuyerID: { not: 'text' } },
    word: null,
    sortBy: 'ClientID',
    roles: { write: 'SetSecurityProfile' },
  });

  await step('a seller acts as a buyer’s user, with the roles of the configuration', async () => {
    const agent = await sdk.AdminUsers.Create(world.userBody());
    await sdk.AdminUserGroups.SaveUserAssignment({ UserGroupID: desk.ID, UserID: agent.ID });
    await world.grant({ UserID: agent.ID }, ['BuyerImpersonation']);
    const token = await world.login(client, agent);
    const request = { ClientID: client.ID, Roles: ['Shopper'] };
    const ask = () => oc.Users.GetAccessToken(buyer.ID, user.ID, request, { accessToken: token });
    await refused(ask(), [400, 403, 404]);
    await sdk.ImpersonationConfigs.Create({
      ImpersonationGroupID: desk.ID,
      BuyerID: buyer.ID,
      ClientID: client.ID,
      SecurityProfileID: profileID,
    });

    const impersonated = await ask();

    contains(claims(impersonated.access_token), { usr: user.Username, usrtype: 'buyer' });
    assert.notEqual(claims(impersonated.access_token).imp, undefined);
    assert.deepEqual(rolesOf(impersonated.access_token), ['Shopper']);
    sdk.Tokens.SetImpersonationToken(impersonated.access_token);
    try {
      assert.equal((await oc.Me.As().Get()).ID, user.ID);
    } finally {
      sdk.Tokens.RemoveImpersonationToken();
    }
    const { token: other } = await world.shopper();
    await world.as(other, () =>
      refused(oc.Users.GetAccessToken(buyer.ID, user.ID, request), [403, 404]),
    );
  });

  await step('a configuration names what there is', async () => {
    const body = { SecurityProfileID: profileID, ClientID: client.ID, BuyerID: buyer.ID };
    await missing(
      oc.ImpersonationConfigs.Create({ ...body, SecurityProfileID: 'no-such-profile' }),
      'no-such-profile',
    );
    await refused(
      oc.ImpersonationConfigs.Create({ ...body, ClientID: 'no-such-client' }),
      [400, 404],
    );
    await missing(
      oc.ImpersonationConfigs.Create({ ...body, BuyerID: 'no-such-buyer' }),
      'no-such-buyer',
    );
  });
}

// An admin of one buyer, at another buyer's and at the seller's doors.
async function borders(walk) {
  const { oc, sdk, step, world } = walk;
  const roles = [
    'BuyerAdmin',
    'BuyerUserAdmin',
    'AddressAdmin',
    'CostCenterAdmin',
    'ApiClientAdmin',
  ];
  const { buyer, user, token } = await world.shopper(roles);
  const rival = await world.shopper();

  await step('a buyer’s admin keeps to its own company', async () => {
    const center = await sdk.CostCenters.Create(rival.buyer.ID, { Name: 'Theirs' });
    await world.as(token, async () => {
      assert.equal((await oc.Buyers.Get(buyer.ID)).ID, buyer.ID);
      assert.deepEqual(ids(await oc.Buyers.List()), [buyer.ID]);
      assert.equal((await oc.Users.Get(buyer.ID, user.ID)).ID, user.ID);
      const border = (call) => refused(call, [403, 404]);
      await border(oc.Buyers.Get(rival.buyer.ID));
      await border(oc.Buyers.Patch(rival.buyer.ID, { Name: 'Taken' }));
      await border(oc.Users.List(rival.buyer.ID));
      await border(oc.Users.Patch(rival.buyer.ID, rival.user.ID, { Active: false }));
      await border(oc.Users.Move(rival.buyer.ID, rival.user.ID, buyer.ID));
      await border(oc.CostCenters.Get(rival.buyer.ID, center.ID));
      await border(oc.CostCenters.Delete(rival.buyer.ID, center.ID));
      await border(oc.Addresses.Create(rival.buyer.ID, things.address.least()));
    });
    assert.equal((await sdk.Buyers.Get(rival.buyer.ID)).Name, rival.buyer.Name);
    await sdk.CostCenters.Get(rival.buyer.ID, center.ID);
  });

  await step('what only sellers administer is closed to buyers of whatever role', async () => {
    await world.as(token, async () => {
      await refused(oc.ApiClients.List(), 403);
      await refused(oc.ApiClients.Create({ AppName: 'Mine', AccessTokenDuration: 60 }), 403);
      await refused(oc.SecurityProfiles.List(), 403);
      await refused(oc.ImpersonationConfigs.List(), 403);
      await refused(oc.Incrementors.List(), 403);
      await refused(oc.XpIndices.List(), 403);
    });
  });
}
