// What holds for all resources, shown with a few of them.

import assert from 'node:assert/strict';

import { contains, ids, invalid, missing, refused } from '../lib/expect.mjs';
import * as things from '../lib/things.mjs';
import { own } from '../lib/world.mjs';

export default async function conventions(walk) {
  await identifiers(walk);
  await extended(walk);
  await values(walk);
  await lists(walk);
}

async function identifiers({ oc, step }) {
  await step('IDs are letters, digits, - and _, and at most 100 of them', async () => {
    for (const ID of ['a b', 'a/b', 'a?b', 'a#b', 'é', 'a.b', 'n'.repeat(101)]) {
      await invalid(oc.Catalogs.Create({ ID, Name: 'No' }), 'ID');
    }
    const ID = `${own('long')}_`.padEnd(100, 'n');
    assert.equal((await oc.Catalogs.Create({ ID, Name: 'Yes' })).ID, ID);
    await missing(oc.Catalogs.Get('o 1'));
  });

  await step('what is a word of a path is no ID', async () => {
    await refused(oc.Catalogs.Create({ ID: 'assignments', Name: 'No' }), 400);
    await refused(oc.Products.Create({ ID: 'Assignments', Name: 'No' }), 400);
    await refused(oc.Catalogs.Create({ ID: 'productassignments', Name: 'No' }), 400);
  });

  await step('an ID keeps its case', async () => {
    const made = await oc.Catalogs.Create({ ID: own('MixedCase'), Name: 'Case' });
    assert.ok(made.ID.startsWith('MixedCase'));
    contains(await oc.Catalogs.Get(made.ID), { ID: made.ID });
  });
}

async function extended({ oc, step }) {
  await step('xp is any object of at most 8,000 bytes', async () => {
    const xp = { Text: 'é\u{1F600}', List: [1, [2], { A: null }], Zero: 0, No: false, Empty: {} };
    const made = await oc.Catalogs.Create({ Name: 'xp', xp });
    assert.deepEqual((await oc.Catalogs.Get(made.ID)).xp, xp);

    await refused(oc.Catalogs.Patch(made.ID, { xp: { Long: 'n'.repeat(8001) } }), 400);
    await refused(oc.Catalogs.Patch(made.ID, { xp: 'text' }), 400);
    await refused(oc.Catalogs.Patch(made.ID, { xp: [1] }), 400);

    assert.deepEqual((await oc.Catalogs.Get(made.ID)).xp, xp);
    const rest = 8000 - JSON.stringify({ Long: '' }).length;
    await oc.Catalogs.Save(made.ID, { Name: 'xp', xp: { Long: 'n'.repeat(rest) } });
  });

  await step('a patch of xp sets null, replaces arrays, and null takes all of it', async () => {
    const { ID } = await oc.Catalogs.Create({ Name: 'xp', xp: { A: { B: 1 }, List: [1, 2, 3] } });

    await oc.Catalogs.Patch(ID, { xp: { A: { B: null }, List: [4] } });
    assert.deepEqual((await oc.Catalogs.Get(ID)).xp, { A: { B: null }, List: [4] });

    await oc.Catalogs.Patch(ID, { xp: null });
    assert.equal((await oc.Catalogs.Get(ID)).xp, null);
  });

  await step('keys of xp reach no operator', async () => {
    const xp = { $where: 'true', 'a.b': 1, $set: { Name: 'Owned' } };
    const answer = oc.Catalogs.Create({ Name: 'Keys', xp });
    const made = await answer.catch((error) => error);
    if (made.isOrderCloudError) assert.equal(made.status, 400);
    else assert.deepEqual((await oc.Catalogs.Get(made.ID)).xp, xp);
    await refused(oc.Catalogs.List({ filters: { $where: 'true' } }), 400);
  });
}

async function values({ oc, step, world }) {
  await step('times are UTC with their offset, and readers may send any', async () => {
    const buyer = await oc.Buyers.Create({ Name: 'Timed' });
    assert.match(buyer.DateCreated, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,7})?\+00:00$/);
    assert.ok(Math.abs(Date.parse(buyer.DateCreated) - Date.now()) < 60_000, buyer.DateCreated);
    const account = { Name: 'Timed', Balance: 1, StartDate: '2024-01-01T02:00:00+02:00' };
    const made = await oc.SpendingAccounts.Create(buyer.ID, account);
    assert.match(made.StartDate, /^2024-01-01T00:00:00(\.0+)?\+00:00$/);
    await invalid(
      oc.SpendingAccounts.Create(buyer.ID, { ...account, StartDate: 'soon' }),
      'StartDate',
    );
  });

  await step('what only the server sets is ignored when it is sent', async () => {
    const sent = { Name: 'Sent', DateCreated: '2001-01-01T00:00:00Z' };
    const made = await oc.Buyers.Create(sent);
    assert.notEqual(new Date(made.DateCreated).getUTCFullYear(), 2001);
    const product = await oc.Products.Create({ Name: 'Sent', SpecCount: 7, VariantCount: 7 });
    contains(product, { SpecCount: 0, VariantCount: 0 });
  });

  await step('null is nothing, and a required field is something', async () => {
    const { ID } = await oc.Catalogs.Create({ Name: 'Null', Description: null });
    contains(await oc.Catalogs.Get(ID), { Description: null });
    await invalid(oc.Catalogs.Patch(ID, { Name: null }), 'Name');
    await invalid(oc.Catalogs.Create({ Name: '' }), 'Name');
    await invalid(oc.Catalogs.Save(ID, { Description: 'Without a name' }), 'Name');
    contains(await oc.Catalogs.Get(ID), { Name: 'Null', Description: null });
  });

  await step('addresses of countries without states need none', async () => {
    const buyer = await world.buyer();
    await oc.Addresses.Create(buyer.ID, things.address.least());
    const canadian = { ...things.address.least(), Country: 'CA' };
    await invalid(oc.Addresses.Create(buyer.ID, canadian), 'State', 'Zip');
    await invalid(oc.Addresses.Create(buyer.ID, { ...canadian, Country: 'Canada' }), 'Country');
  });
}

async function lists({ oc, step, world }) {
  const buyer = await world.buyer();
  const make = (ID, Description, xp) =>
    oc.CostCenters.Create(buyer.ID, { ID, Name: `Center ${ID}`, Description, xp });
  const found = async (filters, options = {}) =>
    ids(await oc.CostCenters.List(buyer.ID, { sortBy: ['ID'], filters, ...options }));

  await step('lists: none, a page too far, and by their last ID', async () => {
    const none = await oc.CostCenters.List(buyer.ID);
    contains(none, { Items: [], Meta: { Page: 1, PageSize: 20, TotalCount: 0 } });
    await make('a', 'One, two', { Done: true, Tags: ['x', 'y'], Day: '2024-05-06' });
    await make('b', 'a|b*c!d', { Done: false, Tags: ['y'] });
    await make('c', null, { Tags: [] });
    const far = await oc.CostCenters.List(buyer.ID, { page: 9 });
    contains(far, { Items: [], Meta: { Page: 9, TotalCount: 3, TotalPages: 1 } });
    assert.deepEqual(await found({ ID: '>a' }, { pageSize: 1 }), ['b']);
    assert.deepEqual(await found({ ID: '>b' }), ['c']);
  });

  await step('filters: escapes, null, booleans, members of arrays', async () => {
    assert.deepEqual(await found({ Description: 'a\\|b\\*c\\!d' }), ['b']);
    assert.deepEqual(await found({ Description: 'one, TWO' }), ['a']);
    assert.deepEqual(await found({ Description: '!*' }), ['c']);
    assert.deepEqual(await found({ Description: '*' }), ['a', 'b']);
    assert.deepEqual(await found({ xp: { Done: true } }), ['a']);
    assert.deepEqual(await found({ xp: { Done: '!true' } }), ['b', 'c']);
    assert.deepEqual(await found({ xp: { Done: false } }), ['b']);
    assert.deepEqual(await found({ xp: { Tags: 'y' } }), ['a', 'b']);
    assert.deepEqual(await found({ xp: { Tags: ['x', 'y'] } }), ['a']);
    assert.deepEqual(await found({ xp: { Day: '>2024-05-05' } }), ['a']);
    assert.deepEqual(await found({ ID: '!a|!b' }), ['c']);
    assert.deepEqual(await found({ ID: '!!a' }), ['a']);
    assert.deepEqual(await found({ ID: '!>=b' }), ['a']);
  });

  await step('lists: options of a wrong kind are refused', async () => {
    await refused(oc.CostCenters.List(buyer.ID, { page: -1 }), 400);
    await refused(oc.CostCenters.List(buyer.ID, { pageSize: 'many' }), 400);
    await refused(oc.Promotions.List({ filters: { Priority: 'high' } }), 400, 'List.InvalidType');
    await refused(
      oc.Products.List({ filters: { 'Inventory.Nonsense': 1 } }),
      400,
      'List.InvalidProperty',
    );
    await refused(oc.CostCenters.ListAssignments(buyer.ID, { level: 'Planet' }), 400);
    await missing(oc.CostCenters.List('no-such-buyer'), 'no-such-buyer');
  });
}
