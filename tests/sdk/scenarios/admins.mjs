// The marketplace owner's own users, groups and addresses.

import assert from 'node:assert/strict';

import { assignments } from '../lib/assignments.mjs';
import { crud } from '../lib/crud.mjs';
import * as things from '../lib/things.mjs';

export default async function admins(walk) {
  const { oc, sdk, step, world } = walk;
  await crud(walk, {
    ...things.user,
    resource: 'AdminUsers',
    roles: { read: 'AdminUserReader', write: 'AdminUserAdmin' },
  });
  await crud(walk, {
    ...things.named,
    resource: 'AdminUserGroups',
    roles: { read: 'AdminUserGroupReader', write: 'AdminUserGroupAdmin' },
  });
  await crud(walk, {
    ...things.address,
    resource: 'AdminAddresses',
    roles: { read: 'AdminAddressReader', write: 'AdminAddressAdmin' },
  });

  const group = await sdk.AdminUserGroups.Create({ Name: 'Desk' });
  const one = await sdk.AdminUsers.Create(world.userBody());
  const two = await sdk.AdminUsers.Create(world.userBody());
  const member = (user, id = group.ID) => ({ UserGroupID: id, UserID: user.ID });
  await assignments(walk, {
    title: 'AdminUserGroups',
    save: (sample) => oc.AdminUserGroups.SaveUserAssignment(sample),
    list: (query) => oc.AdminUserGroups.ListUserAssignments(query),
    remove: ({ UserGroupID, UserID }) =>
      oc.AdminUserGroups.DeleteUserAssignment(UserGroupID, UserID),
    samples: [member(one), member(two)],
    ours: { userGroupID: group.ID },
    queries: [[{ userID: two.ID }, [1]]],
    dangling: [
      [member(one, 'no-such-group'), 'no-such-group'],
      [member({ ID: 'no-such-user' }), 'no-such-user'],
    ],
  });

  await step('an admin has no more roles than its profiles give', async () => {
    await world.grant({ UserID: two.ID }, ['ProductReader']);
    const client = await world.client();

    const token = await world.login(client, two);

    await world.as(token, async () => {
      await oc.Products.List();
      const { Seller, Buyer, AvailableRoles } = await oc.Me.Get();
      assert.notEqual(Seller.ID, null);
      assert.equal(Buyer, null);
      assert.deepEqual(AvailableRoles, ['ProductReader']);
    });
  });
}
