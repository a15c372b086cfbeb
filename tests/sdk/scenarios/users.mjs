// Users of buyers, their groups, and who may see them.

import assert from 'node:assert/strict';

import { assignments } from '../lib/assignments.mjs';
import { crud } from '../lib/crud.mjs';
import { contains, holds, ids, missing, refused } from '../lib/expect.mjs';
import * as things from '../lib/things.mjs';

export default async function users(walk) {
  const { oc, sdk, step, world } = walk;
  const buyer = await world.buyer();
  const other = await world.buyer();

  await crud(walk, {
    ...things.user,
    resource: 'Users',
    under: [buyer.ID],
    roles: { read: 'BuyerUserReader', write: 'BuyerUserAdmin' },
  });
  await crud(walk, {
    ...things.named,
    resource: 'UserGroups',
    under: [buyer.ID],
    roles: { read: 'UserGroupReader', write: 'UserGroupAdmin' },
  });

  await step('a user says whose it is, and never its password', async () => {
    const user = await oc.Users.Create(buyer.ID, world.userBody());

    assert.equal(user.CompanyID, buyer.ID);
    assert.ok(!JSON.stringify(user).includes('Correct-horse'));
    assert.notEqual(user.PasswordLastSetDate, null);
  });

  await step('user names are unique in the whole marketplace, in any case', async () => {
    const user = await world.user(buyer.ID);
    const twin = world.userBody({ Username: user.Username.toUpperCase() });

    const code = 'User.UsernameMustBeUnique';
    await refused(oc.Users.Create(other.ID, twin), [400, 409], code);
    const second = await world.user(other.ID);
    await refused(
      oc.Users.Patch(other.ID, second.ID, { Username: user.Username }),
      [400, 409],
      code,
    );

    await missing(oc.Users.Get(other.ID, twin.ID), twin.ID);
  });

  await step('one buyer may have a user of the ID of another buyer’s', async () => {
    const user = await world.user(buyer.ID);

    const namesake = await oc.Users.Create(other.ID, world.userBody({ ID: user.ID }));

    assert.equal((await oc.Users.Get(other.ID, user.ID)).Username, namesake.Username);
    assert.equal((await oc.Users.Get(buyer.ID, user.ID)).Username, user.Username);
  });

  await step('users are listed across buyers', async () => {
    const [here, there] = [await world.user(buyer.ID), await world.user(other.ID)];

    const page = await oc.Users.ListAcrossBuyers({ filters: { ID: `${here.ID}|${there.ID}` } });

    holds(page, [
      { ID: here.ID, CompanyID: buyer.ID },
      { ID: there.ID, CompanyID: other.ID },
    ]);
  });

  await step('a user moves to another buyer and is the same user', async () => {
    const user = await world.user(buyer.ID, { xp: { Kept: true } });

    const moved = await oc.Users.Move(buyer.ID, user.ID, other.ID, { orders: 'None' });

    contains(moved, {
      ID: user.ID,
      Username: user.Username,
      CompanyID: other.ID,
      xp: { Kept: true },
    });
    contains(await oc.Users.Get(other.ID, user.ID), { CompanyID: other.ID });
    await missing(oc.Users.Get(buyer.ID, user.ID), user.ID);
    await missing(oc.Users.Move(other.ID, user.ID, 'no-such-buyer'), 'no-such-buyer');
  });

  await grouping(walk, buyer);
}

async function grouping(walk, buyer) {
  const { oc, sdk, step, world } = walk;
  const [one, two] = [await world.user(buyer.ID), await world.user(buyer.ID)];
  const [group, second] = [await world.group(buyer.ID), await world.group(buyer.ID)];
  const member = (inGroup, user) => ({ UserGroupID: inGroup.ID, UserID: user.ID });

  await assignments(walk, {
    title: 'UserGroups',
    save: (sample) => oc.UserGroups.SaveUserAssignment(buyer.ID, sample),
    list: (query) => oc.UserGroups.ListUserAssignments(buyer.ID, query),
    remove: ({ UserGroupID, UserID }) =>
      oc.UserGroups.DeleteUserAssignment(buyer.ID, UserGroupID, UserID),
    samples: [member(group, one), member(group, two)],
    ours: { userGroupID: group.ID },
    queries: [[{ userID: two.ID }, [1]]],
    dangling: [
      [member({ ID: 'no-such-group' }, one), 'no-such-group'],
      [member(group, { ID: 'no-such-user' }), 'no-such-user'],
    ],
  });

  await step('users are listed by their group', async () => {
    await oc.UserGroups.SaveUserAssignment(buyer.ID, member(second, one));
    assert.deepEqual(ids(await oc.Users.List(buyer.ID, { userGroupID: second.ID })), [one.ID]);
  });

  await step('a user that is deleted leaves its groups', async () => {
    await oc.Users.Delete(buyer.ID, one.ID);
    const left = await oc.UserGroups.ListUserAssignments(buyer.ID, { userGroupID: second.ID });
    assert.deepEqual(left.Items, []);
  });

  await step('a group that approves orders cannot be deleted', async () => {
    await sdk.ApprovalRules.Create(buyer.ID, {
      ApprovingGroupID: group.ID,
      RuleExpression: 'order.total > 10',
    });
    await refused(
      oc.UserGroups.Delete(buyer.ID, group.ID),
      [400, 409],
      'UserGroup.CannotDeleteApprovingGroup',
    );
    await oc.UserGroups.Get(buyer.ID, group.ID);
  });
}
