// What a buyer's users order with: addresses, cost centers, cards, accounts, and approval rules.

import { assignments } from '../lib/assignments.mjs';
import { crud, word } from '../lib/crud.mjs';
import { contains, invalid, missing, refused } from '../lib/expect.mjs';
import * as things from '../lib/things.mjs';

const spendingAccount = {
  least: () => ({ Name: 'Least', Balance: 0 }),
  full: (n) => ({
    Name: `Account ${word(n)}`,
    Balance: 100 * n + 0.25,
    AllowAsPaymentMethod: true,
    StartDate: '2024-01-02T00:00:00+00:00',
    EndDate: '2034-01-02T00:00:00+00:00',
  }),
  change: { Balance: 7.5 },
  clears: 'EndDate',
  wrong: [{ Name: things.long(101), Balance: 'much' }, ['Name', 'Balance']],
  mistyped: { Balance: 'much' },
};

export const creditCard = {
  least: () => ({}),
  full: (n) => ({
    Token: 'token-of-the-processor',
    CardType: 'Visa',
    PartialAccountNumber: '11111',
    CardholderName: `Ada ${word(n)}`,
    ExpirationDate: '2031-05-01T00:00:00+00:00',
  }),
  change: { CardType: 'MasterCard' },
  clears: 'CardholderName',
  wrong: [
    { PartialAccountNumber: '123456', ExpirationDate: 'soon' },
    ['PartialAccountNumber', 'ExpirationDate'],
  ],
  mistyped: { CardType: { not: 'text' } },
  word: 'CardholderName',
  sortBy: 'CardholderName',
};

export default async function accounts(walk) {
  const { oc, sdk, step, world } = walk;
  const buyer = await world.buyer();
  const party = {
    user: await world.user(buyer.ID),
    group: await world.group(buyer.ID),
  };
  const plans = {
    Addresses: [things.address, 'Address'],
    CostCenters: [things.named, 'CostCenter'],
    CreditCards: [creditCard, 'CreditCard'],
    SpendingAccounts: [spendingAccount, 'SpendingAccount'],
  };
  for (const [resource, [plan, role]] of Object.entries(plans)) {
    const roles = { read: `${role}Reader`, write: `${role}Admin` };
    await crud(walk, { ...plan, resource, under: [buyer.ID], roles });
    const thing = await sdk[resource].Create(buyer.ID, plan.least());
    await assigning(walk, resource, `${role}ID`, thing, buyer, party);
  }
  await crud(walk, {
    resource: 'ApprovalRules',
    under: [buyer.ID],
    least: () => ({ ApprovingGroupID: party.group.ID, RuleExpression: 'order.total > 100' }),
    full: (n) => ({
      Name: `Rule ${word(n)}`,
      Description: 'Much money',
      ApprovingGroupID: party.group.ID,
      RuleExpression: `order.total > ${n} and order.xp.Urgent = false`,
    }),
    change: { RuleExpression: "items.any(ProductID = 'crane')" },
    wrong: [{ Name: things.long(101), Description: things.long(2001) }, ['Name', 'Description']],
    roles: { read: 'ApprovalRuleReader', write: 'ApprovalRuleAdmin' },
  });

  await step('an approval rule names a group there is, and an expression that reads', async () => {
    const rule = { ApprovingGroupID: party.group.ID, RuleExpression: 'order.total >' };
    await refused(oc.ApprovalRules.Create(buyer.ID, rule), 400, 'Expression.InvalidSyntax');
    await missing(
      oc.ApprovalRules.Create(buyer.ID, {
        ApprovingGroupID: 'no-such-group',
        RuleExpression: 'order.total > 1',
      }),
      'no-such-group',
    );
    await invalid(oc.ApprovalRules.Create(buyer.ID, {}), 'ApprovingGroupID', 'RuleExpression');
  });

  await step('a card number is never kept', async () => {
    const number = { CardholderName: 'Ada', Token: '4111111111111111' };
    await refused(oc.CreditCards.Create(buyer.ID, number), 400);
  });

  await step('money is rounded to cents', async () => {
    const account = await oc.SpendingAccounts.Create(buyer.ID, { Name: 'Cents', Balance: 1.006 });
    contains(account, { Balance: 1.01 });
  });
}

// The kinds of assignment: of addresses they say what for, cost centers have none of users.
async function assigning(walk, resource, key, thing, buyer, { user, group }) {
  const { oc, step } = walk;
  const service = oc[resource];
  const extra = resource === 'Addresses' ? { IsShipping: true, IsBilling: false } : {};
  const toGroup = { [key]: thing.ID, UserGroupID: group.ID, ...extra };
  const toUser = { [key]: thing.ID, UserID: user.ID, ...extra };
  const toBuyer = { [key]: thing.ID, ...extra };
  const toUsers = resource !== 'CostCenters';
  const parameter = `${key[0].toLowerCase()}${key.slice(1)}`;
  const ours = { [parameter]: thing.ID };

  await assignments(walk, {
    title: resource,
    save: (sample) => service.SaveAssignment(buyer.ID, sample),
    list: (query) => service.ListAssignments(buyer.ID, query),
    remove: (sample) =>
      service.DeleteAssignment(buyer.ID, thing.ID, {
        userID: sample.UserID,
        userGroupID: sample.UserGroupID,
      }),
    samples: toUsers ? [toGroup, toBuyer, toUser] : [toGroup, toBuyer],
    ours,
    queries: [
      [{ userGroupID: group.ID }, [0]],
      [{ level: 'Group' }, [0]],
      [{ level: 'Company' }, [1]],
      ...(toUsers
        ? [
            [{ userID: user.ID }, [2]],
            [{ level: 'User' }, [2]],
          ]
        : []),
      ...(resource === 'Addresses'
        ? [
            [{ isShipping: true, level: 'Group' }, [0]],
            [{ isBilling: true }, []],
          ]
        : []),
    ],
    changed: {
      Addresses: { ...toGroup, IsBilling: true },
      SpendingAccounts: { ...toGroup, AllowExceed: true },
    }[resource],
    dangling: [
      [{ ...toGroup, [key]: 'no-such-thing' }, 'no-such-thing'],
      [{ ...toGroup, UserGroupID: 'no-such-group' }, 'no-such-group'],
    ],
  });

  if (toUsers) {
    await step(`${resource}: an assignment is to a user or to a group`, async () => {
      await refused(
        service.SaveAssignment(buyer.ID, { ...toGroup, UserID: user.ID }),
        400,
        'PartyAssignment.CannotSpecifyGroupAndUser',
      );
    });
  }
  if (resource === 'Addresses') {
    await step('an assigned address is for shipping, billing or both', async () => {
      await refused(
        service.SaveAssignment(buyer.ID, { ...toUser, IsShipping: false }),
        400,
        'AddressAssignment.MustBeBillingOrShipping',
      );
    });
  }
  await step(`${resource}: what is deleted is no longer assigned`, async () => {
    await service.SaveAssignment(buyer.ID, toGroup);
    await service.Delete(buyer.ID, thing.ID);
    const left = await service.ListAssignments(buyer.ID, { userGroupID: group.ID });
    contains(left.Items, []);
  });
}
