// Incrementors, locales and indices on xp.

import assert from 'node:assert/strict';

import { assignments } from '../lib/assignments.mjs';
import { crud, word } from '../lib/crud.mjs';
import { contains, holds, ids, refused } from '../lib/expect.mjs';
import { own } from '../lib/world.mjs';

export default async function marketplace(walk) {
  await incrementors(walk);
  await locales(walk);
  await indices(walk);
}

async function incrementors(walk) {
  const { oc, sdk, step, world } = walk;
  await crud(walk, {
    resource: 'Incrementors',
    xp: false,
    least: () => ({ LastNumber: 0, LeftPaddingCount: 4 }),
    full: (n) => ({ Name: `Numbers ${word(n)}`, LastNumber: n, LeftPaddingCount: 6 }),
    change: { LastNumber: 500 },
    clears: 'Name',
    wrong: [{ LastNumber: 'last', LeftPaddingCount: null }, ['LastNumber', 'LeftPaddingCount']],
    mistyped: { LastNumber: 'last' },
    roles: { read: 'IncrementorReader', write: 'IncrementorAdmin' },
  });

  await step('an incrementor numbers whatever names it, in create, save and patch', async () => {
    const counter = await sdk.Incrementors.Create({
      ID: own('n'),
      LastNumber: 9998,
      LeftPaddingCount: 4,
    });
    const numbered = (prefix) => `${prefix}{${counter.ID}}`;
    const prefix = own('p');

    const product = await oc.Products.Create({ ID: numbered(prefix), Name: 'Numbered' });
    const buyer = await oc.Buyers.Create({ ID: numbered(prefix), Name: 'Numbered' });
    const renamed = await oc.Products.Patch(product.ID, { ID: numbered(`${prefix}-r`) });

    assert.deepEqual(
      [product.ID, buyer.ID, renamed.ID],
      [`${prefix}9999`, `${prefix}10000`, `${prefix}-r10001`],
    );
    contains(await oc.Incrementors.Get(counter.ID), { LastNumber: 10_001 });
    await refused(oc.Products.Create({ ID: '{no-such-counter}', Name: 'No' }), [400, 404]);
  });

  await step('any user may use an incrementor, and none number comes twice', async () => {
    const counter = await sdk.Incrementors.Create({
      ID: own('n'),
      LastNumber: 0,
      LeftPaddingCount: 3,
    });
    const { buyer, token } = await world.shopper(['CostCenterAdmin']);

    await world.as(token, async () => {
      const made = await oc.CostCenters.Create(buyer.ID, { ID: `cc{${counter.ID}}`, Name: 'One' });
      assert.equal(made.ID, 'cc001');
    });
    const many = await Promise.all(
      Array.from({ length: 10 }, () =>
        sdk.CostCenters.Create(buyer.ID, { ID: `cc{${counter.ID}}`, Name: 'Many' }),
      ),
    );
    assert.equal(new Set(many.map((center) => center.ID)).size, 10);
    contains(await oc.Incrementors.Get(counter.ID), { LastNumber: 11 });
  });
}

async function locales(walk) {
  const { oc, sdk, step, world } = walk;
  // A pair of language and currency is of one locale only.
  const body = (Currency = 'EUR') => ({ Currency, Language: own('x') });
  await crud(walk, {
    resource: 'Locales',
    xp: false,
    least: () => body(),
    full: () => body('USD'),
    change: { Currency: 'GBP' },
    clears: null,
    wrong: [{ ID: 'no id', Currency: null }, ['ID', 'Currency']],
    mistyped: { Language: { not: 'text' } },
    word: null,
    sortBy: null,
    roles: { read: 'LocaleReader', write: 'LocaleAdmin' },
  });

  const { buyer, user, group } = await world.shopper();
  const [locale, second] = [await sdk.Locales.Create(body()), await sdk.Locales.Create(body())];
  const toBuyer = { LocaleID: locale.ID, BuyerID: buyer.ID };
  await step('a pair of language and currency is of one locale', async () => {
    const { Currency, Language } = locale;
    await refused(
      oc.Locales.Create({ Currency, Language }),
      [400, 409],
      'Locale.DuplicateLanguageAndCurrency',
    );
  });
  await assignments(walk, {
    title: 'Locales',
    save: (sample) => oc.Locales.SaveAssignment(sample),
    list: (query) => oc.Locales.ListAssignments(query),
    remove: ({ BuyerID, UserGroupID }) =>
      oc.Locales.DeleteAssignment(locale.ID, { buyerID: BuyerID, userGroupID: UserGroupID }),
    samples: [{ ...toBuyer, UserGroupID: group.ID }, toBuyer],
    ours: { localeID: locale.ID },
    queries: [
      [{ buyerID: buyer.ID, userGroupID: group.ID }, [0]],
      [{ level: 'Group' }, [0]],
      [{ level: 'Company' }, [1]],
    ],
    dangling: [[{ ...toBuyer, LocaleID: 'no-such-locale' }, 'no-such-locale']],
  });
  await step('a user has the locale of its group before that of its company', async () => {
    await oc.Locales.SaveAssignment(toBuyer);
    contains(await oc.Users.Get(buyer.ID, user.ID), { Locale: { ID: locale.ID } });

    await oc.Locales.SaveAssignment({
      LocaleID: second.ID,
      BuyerID: buyer.ID,
      UserGroupID: group.ID,
    });

    contains(await oc.Users.Get(buyer.ID, user.ID), { Locale: { ID: second.ID } });
  });
}

async function indices({ oc, step, world }) {
  const Key = own('Key').replaceAll('-', '');
  await step('an index on xp is put, put again, listed and deleted', async () => {
    await oc.XpIndices.Put({ ThingType: 'CostCenter', Key });
    await oc.XpIndices.Put({ ThingType: 'CostCenter', Key });
    await oc.XpIndices.Put({ ThingType: 'Company', Key: `${Key}.Inner` });

    const list = (filters) => oc.XpIndices.List({ filters, sortBy: ['Key'] });
    holds(await list({ Key }), [{ ThingType: 'CostCenter', Key }]);
    contains(await list({ Key: `${Key}*` }), {
      Meta: { TotalCount: 2 },
      Items: [
        { ThingType: 'CostCenter', Key },
        { ThingType: 'Company', Key: `${Key}.Inner` },
      ],
    });
    await oc.XpIndices.Delete('CostCenter', Key);
    holds(await list({ Key }), []);
    await refused(oc.XpIndices.Put({ ThingType: 'Weather', Key }), 400);
  });
  await step('what is indexed is found as before', async () => {
    const buyer = await world.buyer();
    await oc.XpIndices.Put({ ThingType: 'CostCenter', Key });
    const made = await oc.CostCenters.Create(buyer.ID, { Name: 'Found', xp: { [Key]: 'amber' } });
    const page = await oc.CostCenters.List(buyer.ID, { filters: { [`xp.${Key}`]: 'amber' } });
    assert.deepEqual(ids(page), [made.ID]);
  });
  await step('indices are a seller’s own', async () => {
    await world.as(await world.tokenWith('LocaleReader'), async () => {
      await refused(oc.XpIndices.List(), 403, 'Auth.InsufficientRoles');
      await refused(oc.XpIndices.Put({ ThingType: 'Company', Key }), 403);
      await refused(oc.XpIndices.Delete('Company', Key), 403);
    });
  });
}
