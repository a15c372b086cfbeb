// Suppliers, their users, groups and addresses, and the buyers that they sell to.

import assert from 'node:assert/strict';

import { assignments } from '../lib/assignments.mjs';
import { crud, word } from '../lib/crud.mjs';
import { holds, ids, missing, refused } from '../lib/expect.mjs';
import * as things from '../lib/things.mjs';

export default async function suppliers(walk) {
  const { oc, sdk, step, world } = walk;
  await crud(walk, {
    resource: 'Suppliers',
    renames: false,
    least: () => ({ Name: 'Least' }),
    full: (n) => ({ Name: `Supplier ${word(n)}`, Active: true, AllBuyersCanOrder: true }),
    clears: null,
    wrong: [{ ID: 'no id', Name: things.long(101), Active: 'maybe' }, ['ID', 'Name', 'Active']],
    roles: { read: 'SupplierReader', write: 'SupplierAdmin' },
  });
  const supplier = await world.supplier();
  await crud(walk, {
    ...things.user,
    resource: 'SupplierUsers',
    under: [supplier.ID],
    roles: { read: 'SupplierUserReader', write: 'SupplierUserAdmin' },
  });
  await crud(walk, {
    ...things.named,
    resource: 'SupplierUserGroups',
    under: [supplier.ID],
    roles: { read: 'SupplierUserGroupReader', write: 'SupplierUserGroupAdmin' },
  });
  await crud(walk, {
    ...things.address,
    resource: 'SupplierAddresses',
    under: [supplier.ID],
    roles: { read: 'SupplierAddressReader', write: 'SupplierAddressAdmin' },
  });

  const group = await sdk.SupplierUserGroups.Create(supplier.ID, { Name: 'Pickers' });
  const one = await sdk.SupplierUsers.Create(supplier.ID, world.userBody());
  const two = await sdk.SupplierUsers.Create(supplier.ID, world.userBody());
  const member = (user, id = group.ID) => ({ UserGroupID: id, UserID: user.ID });
  await assignments(walk, {
    title: 'SupplierUserGroups',
    save: (sample) => oc.SupplierUserGroups.SaveUserAssignment(supplier.ID, sample),
    list: (query) => oc.SupplierUserGroups.ListUserAssignments(supplier.ID, query),
    remove: ({ UserGroupID, UserID }) =>
      oc.SupplierUserGroups.DeleteUserAssignment(supplier.ID, UserGroupID, UserID),
    samples: [member(one), member(two)],
    ours: { userGroupID: group.ID },
    queries: [[{ userID: two.ID }, [1]]],
    dangling: [
      [member(one, 'no-such-group'), 'no-such-group'],
      [member({ ID: 'no-such-user' }), 'no-such-user'],
    ],
  });

  await step('a supplier’s users are listed by their group', async () => {
    assert.deepEqual(ids(await oc.SupplierUsers.List(supplier.ID, { userGroupID: group.ID })), [
      two.ID,
    ]);
  });

  await step('a supplier is given buyers, and they are taken from it', async () => {
    const [first, second] = [await world.buyer(), await world.buyer()];

    await oc.Suppliers.SaveBuyer(supplier.ID, first.ID);
    await oc.Suppliers.SaveBuyer(supplier.ID, second.ID);
    await oc.Suppliers.SaveBuyer(supplier.ID, second.ID);

    const both = [first, second].map(({ ID, Name }) => ({ ID, Name }));
    holds(await oc.Suppliers.ListBuyers(supplier.ID), both);
    await oc.Suppliers.DeleteBuyer(supplier.ID, first.ID);
    holds(await oc.Suppliers.ListBuyers(supplier.ID), both.slice(1));
    await missing(oc.Suppliers.SaveBuyer(supplier.ID, 'no-such-buyer'), 'no-such-buyer');
  });

  await step('a supplier’s user sees its own company and no other', async () => {
    const rival = await world.supplier();
    const roles = ['SupplierAdmin', 'SupplierUserAdmin', 'SupplierAddressAdmin'];
    await world.grant({ SupplierID: supplier.ID }, roles);
    const token = await world.login(await world.client(), one, roles);

    await world.as(token, async () => {
      assert.equal((await oc.Suppliers.Get(supplier.ID)).ID, supplier.ID);
      assert.deepEqual(ids(await oc.Suppliers.List()), [supplier.ID]);
      await oc.SupplierUsers.Get(supplier.ID, two.ID);
      await refused(oc.Suppliers.Get(rival.ID), [403, 404]);
      await refused(oc.Suppliers.Patch(rival.ID, { Name: 'Taken' }), [403, 404]);
      await refused(oc.SupplierUsers.List(rival.ID), [403, 404]);
      await refused(oc.SupplierAddresses.Create(rival.ID, things.address.least()), [403, 404]);
      const { Supplier, Buyer } = await oc.Me.Get();
      assert.deepEqual([Supplier, Buyer], [{ ID: supplier.ID }, null]);
    });
    assert.equal((await oc.Suppliers.Get(rival.ID)).Name, rival.Name);
  });
}
