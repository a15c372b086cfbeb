// Of every resource: its lists, with all that can be asked of them.

import assert from 'node:assert/strict';

import { contains, ids, refused, sorted } from './expect.mjs';

// The word that the nth thing of a list is found by.
export const word = (n) => ['amber', 'birch', 'cedar', 'dune', 'ember'][n - 1] ?? `word${n}`;

export async function lists(rest) {
  const { plan } = rest;
  const xp = (n) => ({
    Marker: rest.prefix,
    Size: { Inches: n },
    ...(n === 5 ? {} : { Color: n % 2 ? 'red' : 'blue' }),
  });
  const things = [];
  for (const n of [1, 2, 3, 4, 5]) {
    const id = rest.ownIDs ? { ID: `${rest.prefix}-list-${n}` } : {};
    const fields = { ...id, ...(plan.xp ? { xp: xp(n) } : {}) };
    things.push(await rest.prepare(() => rest.made(n, fields)));
  }
  const all = sorted(things.map((thing) => thing.ID));
  const idOf = (...numbers) => sorted(numbers.map((n) => things[n - 1].ID));
  const ours = plan.xp ? { 'xp.Marker': rest.prefix } : { ID: `${rest.prefix}-list-*` };
  const filtered = (filters, options = {}) =>
    rest.list({ sortBy: ['ID'], filters: { ...ours, ...filters }, ...options });

  await rest.step('a list has pages', async () => {
    const page = await filtered({}, { page: 2, pageSize: 2 });

    assert.deepEqual(ids(page), all.slice(2, 4));
    contains(page.Meta, { Page: 2, PageSize: 2, TotalCount: 5, TotalPages: 3, ItemRange: [3, 4] });
    const last = await filtered({}, { page: 3, pageSize: 2 });
    assert.deepEqual(ids(last), all.slice(4));
    const whole = await filtered({});
    contains(whole.Meta, { Page: 1, PageSize: 20, TotalCount: 5, TotalPages: 1 });
    const alone = await rest.get(all[0]);
    for (const field of plan.unlisted) delete alone[field];
    contains(whole.Items[0], alone);
  });
  await rest.step('a list is sorted by what is asked, descending with !', async () => {
    assert.deepEqual(ids(await filtered({}, { sortBy: ['!ID'] })), [...all].reverse());
    if (!plan.sortBy) return;
    const values = (page) => page.Items.map((item) => item[plan.sortBy]);
    const page = await filtered({}, { sortBy: [`!${plan.sortBy}`, 'ID'] });
    assert.deepEqual(values(page), sorted(values(page)).reverse());
    assert.equal(page.Items.length, 5);
  });
  await rest.step(
    'filters: one of several, none of some, wildcards, all of a repeated key',
    async () => {
      const [a, b] = all;
      assert.deepEqual(ids(await filtered({ ID: `${a}|${b}` })), [a, b]);
      assert.deepEqual(ids(await filtered({ ID: a.toUpperCase() })), [a]);
      if (!plan.xp) return;
      assert.deepEqual(ids(await filtered({ ID: `!${a}` })), all.slice(1));
      assert.deepEqual(ids(await filtered({ ID: [`!${a}`, `!${b}`] })), all.slice(2));
      assert.deepEqual(ids(await filtered({ ID: `*${a.slice(-9)}` })), [a]);
    },
  );
  if (plan.xp) {
    await rest.step('filters on xp: nested, ranges, and no by what lacks the key', async () => {
      assert.deepEqual(ids(await filtered({ xp: { Color: 'red' } })), idOf(1, 3));
      assert.deepEqual(ids(await filtered({ xp: { Color: '!red' } })), idOf(2, 4, 5));
      assert.deepEqual(ids(await filtered({ xp: { Color: 'B*' } })), idOf(2, 4));
      assert.deepEqual(ids(await filtered({ xp: { Size: { Inches: '>3' } } })), idOf(4, 5));
      assert.deepEqual(
        ids(await filtered({ xp: { Size: { Inches: ['>=2', '<4'] } } })),
        idOf(2, 3),
      );
    });
  }
  if (plan.word) {
    await rest.step('search finds by a word, in the fields that are named', async () => {
      const found = await filtered({}, { search: word(3) });
      assert.deepEqual(ids(found), idOf(3));
      const named = await filtered({}, { search: word(4), searchOn: [plan.word] });
      assert.deepEqual(ids(named), idOf(4));
      assert.deepEqual(ids(await filtered({}, { search: 'nothing-has-this' })), []);
    });
  }
  await optionsRefused(rest);
}

async function optionsRefused(rest) {
  await rest.step('list options that mean nothing are refused', async () => {
    await refused(rest.list({ filters: { Nonsense: 'a' } }), 400, 'List.InvalidProperty');
    await refused(rest.list({ sortBy: ['Nonsense'] }), 400, 'List.InvalidSortProperty');
    await refused(
      rest.list({ search: 'a', searchOn: ['Nonsense'] }),
      400,
      'List.InvalidSearchProperty',
    );
    await refused(rest.list({ pageSize: 101 }), 400, 'List.InvalidPageSize');
    await rest.list({ pageSize: 100 });
  });
}
