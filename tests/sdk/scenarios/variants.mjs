// Specs, their options, and the variants that come of them.

import assert from 'node:assert/strict';

import { assignments } from '../lib/assignments.mjs';
import { crud, word } from '../lib/crud.mjs';
import { contains, ids, missing, refused } from '../lib/expect.mjs';
import * as things from '../lib/things.mjs';
import { own } from '../lib/world.mjs';

export default async function variants(walk) {
  const { sdk } = walk;
  await crud(walk, {
    resource: 'Specs',
    least: () => ({ Name: 'Least' }),
    full: (n) => ({
      Name: `Spec ${word(n)}`,
      ListOrder: n,
      DefaultValue: 'Blue',
      Required: true,
      AllowOpenText: true,
      DefinesVariant: false,
    }),
    defaults: { OptionCount: 0, Required: false, AllowOpenText: false, DefinesVariant: false },
    clears: 'DefaultValue',
    wrong: [
      { ID: 'no id', Name: things.long(101), ListOrder: 'first' },
      ['ID', 'Name', 'ListOrder'],
    ],
    mistyped: { ListOrder: 'first' },
    roles: { read: 'ProductReader', write: 'ProductAdmin' },
  });
  const spec = await sdk.Specs.Create({ ID: own('spec'), Name: 'With options' });
  await crud(walk, {
    title: 'Spec options',
    resource: 'Specs',
    under: [spec.ID],
    verbs: {
      List: 'ListOptions',
      Create: 'CreateOption',
      Get: 'GetOption',
      Save: 'SaveOption',
      Patch: 'PatchOption',
      Delete: 'DeleteOption',
    },
    least: () => ({ Value: 'Least' }),
    full: (n) => ({
      Value: `Option ${word(n)}`,
      ListOrder: n,
      IsOpenText: true,
      PriceMarkupType: 'AmountPerQuantity',
      PriceMarkup: 2.5,
    }),
    change: { Value: 'Another value' },
    clears: 'PriceMarkup',
    wrong: [{ Value: things.long(2001), PriceMarkupType: 'Some' }, ['Value', 'PriceMarkupType']],
    mistyped: { ListOrder: 'first' },
    word: 'Value',
    sortBy: null,
    roles: { read: 'ProductReader', write: 'ProductAdmin' },
  });
  await optionsOfSpecs(walk);
  await generating(walk);
}

async function optionsOfSpecs(walk) {
  const { oc, sdk, step } = walk;
  const spec = await sdk.Specs.Create({ ID: own('spec'), Name: 'Color' });
  const other = await sdk.Specs.Create({ ID: own('spec'), Name: 'Size' });
  const product = await sdk.Products.Create({ Name: 'With specs', Active: true });

  await step('a spec shows its options, and names one of them as default', async () => {
    await missing(oc.Specs.Patch(spec.ID, { DefaultOptionID: 'red' }));
    await oc.Specs.CreateOption(spec.ID, { ID: 'blue', Value: 'Blue', ListOrder: 2 });
    await oc.Specs.CreateOption(spec.ID, { ID: 'red', Value: 'Red', ListOrder: 1 });

    await oc.Specs.Patch(spec.ID, { DefaultOptionID: 'red' });

    const got = await oc.Specs.Get(spec.ID);
    contains(got, { DefaultOptionID: 'red', OptionCount: 2 });
    assert.deepEqual(
      got.Options.map((option) => option.ID),
      ['red', 'blue'],
    );
  });

  await assignments(walk, {
    title: 'Specs to products',
    save: (sample) => oc.Specs.SaveProductAssignment(sample),
    list: ({ page, pageSize, ...filters }) =>
      oc.Specs.ListProductAssignments({ page, pageSize, filters }),
    remove: ({ SpecID }) => oc.Specs.DeleteProductAssignment(SpecID, product.ID),
    samples: [
      { SpecID: other.ID, ProductID: product.ID, DefaultValue: 'Large', DefaultOptionID: null },
      { SpecID: spec.ID, ProductID: product.ID, DefaultValue: null, DefaultOptionID: 'blue' },
    ],
    ours: { ProductID: product.ID },
    queries: [[{ SpecID: spec.ID }, [1]]],
    changed: { SpecID: other.ID, ProductID: product.ID, DefaultValue: 'Small' },
    dangling: [
      [{ SpecID: 'no-such-spec', ProductID: product.ID }, 'no-such-spec'],
      [{ SpecID: spec.ID, ProductID: 'no-such-product' }, 'no-such-product'],
    ],
  });

  await step('a product lists its specs and counts them', async () => {
    contains((await oc.Products.ListSpecs(product.ID)).Items, [{ ID: spec.ID, OptionCount: 2 }]);
    contains(await oc.Products.Get(product.ID), { SpecCount: 1 });
    await missing(oc.Products.ListSpecs('no-such-product'), 'no-such-product');
  });

  await step('a spec that is deleted leaves its products', async () => {
    await oc.Specs.Delete(spec.ID);
    contains(await oc.Products.Get(product.ID), { SpecCount: 0 });
    await missing(oc.Specs.ListOptions(spec.ID), spec.ID);
  });
}

async function generating({ oc, sdk, step }) {
  const color = await sdk.Specs.Create({ Name: 'Color', DefinesVariant: true, Required: true });
  const size = await sdk.Specs.Create({ Name: 'Size', DefinesVariant: true, Required: true });
  const note = await sdk.Specs.Create({ Name: 'Note', AllowOpenText: true });
  const option = (spec, ID) => sdk.Specs.CreateOption(spec.ID, { ID, Value: ID });
  for (const id of ['red', 'blue']) await option(color, id);
  for (const id of ['small', 'medium', 'large']) await option(size, id);
  const product = await sdk.Products.Create({ Name: 'Shirt', Active: true });
  for (const { ID } of [color, size, note]) {
    await sdk.Specs.SaveProductAssignment({ SpecID: ID, ProductID: product.ID });
  }
  const list = (options) => oc.Products.ListVariants(product.ID, options);
  const combination = (variant) =>
    variant.Specs.map((spec) => spec.OptionID)
      .sort()
      .join('/');

  await step('variants are generated: one for each combination of options', async () => {
    const answer = await oc.Products.GenerateVariants(product.ID, {});

    contains(answer, { ID: product.ID, VariantCount: 6 });
    const page = await list();
    assert.deepEqual(page.Items.map(combination).sort(), [
      'blue/large',
      'blue/medium',
      'blue/small',
      'large/red',
      'medium/red',
      'red/small',
    ]);
    const [first] = page.Items;
    contains(await oc.Products.GetVariant(product.ID, first.ID), first);
    assert.deepEqual(first.Specs.map((spec) => spec.Name).sort(), ['Color', 'Size']);
    assert.equal(first.Active, true);
  });

  await step('a variant is patched, renamed and saved, and keeps its specs', async () => {
    const [variant] = (await list()).Items;
    const change = { Name: 'Mine', Description: 'This one', ShipWeight: 1.5, xp: { A: { B: 1 } } };

    const patched = await oc.Products.PatchVariant(product.ID, variant.ID, change);
    contains(patched, { ID: variant.ID, Specs: variant.Specs, ...change });
    await oc.Products.PatchVariant(product.ID, variant.ID, { ID: 'mine', xp: { A: { C: 2 } } });

    const renamed = await oc.Products.GetVariant(product.ID, 'mine');
    contains(renamed, { ...change, xp: { A: { B: 1, C: 2 } }, Specs: variant.Specs });
    await missing(oc.Products.GetVariant(product.ID, variant.ID), variant.ID);
    const saved = await oc.Products.SaveVariant(product.ID, 'mine', {
      Name: 'Saved',
      Active: false,
    });
    contains(saved, { ID: 'mine', Name: 'Saved', Active: false, Description: null, xp: null });
    assert.deepEqual(combination(saved), combination(variant));
    await refused(oc.Products.PatchVariant(product.ID, 'mine', { ShipWeight: 'heavy' }), 400);
    await missing(
      oc.Products.PatchVariant(product.ID, 'no-such-variant', { Name: 'a' }),
      'no-such-variant',
    );
  });

  await step('variants are listed with filters and search', async () => {
    assert.deepEqual(ids(await list({ search: 'Saved' })), ['mine']);
    assert.deepEqual(ids(await list({ filters: { Active: 'false' } })), ['mine']);
    const page = await list({ sortBy: ['!ID'], pageSize: 4, page: 2 });
    contains(page.Meta, { TotalCount: 6, TotalPages: 2, ItemRange: [5, 6] });
  });

  await step('generating again adds what is new; overwriting starts anew', async () => {
    await option(color, 'green');

    await oc.Products.GenerateVariants(product.ID, { Active: false });

    contains(await oc.Products.Get(product.ID), { VariantCount: 9 });
    const green = (await list()).Items.filter((variant) => combination(variant).includes('green'));
    assert.deepEqual(
      green.map((variant) => variant.Active),
      [false, false, false],
    );
    contains(await oc.Products.GetVariant(product.ID, 'mine'), { Name: 'Saved' });
    await oc.Products.GenerateVariants(product.ID, {}, { overwriteExisting: true });
    await missing(oc.Products.GetVariant(product.ID, 'mine'), 'mine');
    contains((await list()).Meta, { TotalCount: 9 });
  });
}
