// Catalogs, their categories, and what is assigned to them.

import assert from 'node:assert/strict';

import { assignments } from '../lib/assignments.mjs';
import { crud } from '../lib/crud.mjs';
import { contains, ids, missing, refused } from '../lib/expect.mjs';
import * as things from '../lib/things.mjs';
import { own } from '../lib/world.mjs';

export default async function catalogs(walk) {
  const { oc, sdk, step, world } = walk;
  await crud(walk, {
    ...things.named,
    resource: 'Catalogs',
    full: (n) => ({ ...things.named.full(n), Active: true }),
    defaults: { CategoryCount: 0 },
    roles: { read: 'CatalogReader', write: 'CatalogAdmin' },
  });
  const catalog = await sdk.Catalogs.Create({ ID: own('catalog'), Name: 'Spring', Active: true });
  await crud(walk, {
    ...things.named,
    resource: 'Categories',
    under: [catalog.ID],
    full: (n) => ({ ...things.named.full(n), Active: true, ListOrder: n }),
    defaults: { ChildCount: 0, ParentID: null },
    roles: { read: 'CategoryReader', write: 'CategoryAdmin' },
  });
  await assigning(walk);
  await tree(walk);

  await step('what is deleted with a catalog: its categories', async () => {
    const gone = await sdk.Catalogs.Create({ Name: 'Gone' });
    const category = await sdk.Categories.Create(gone.ID, { Name: 'Gone, too' });
    contains(await oc.Catalogs.Get(gone.ID), { CategoryCount: 1 });

    await oc.Catalogs.Delete(gone.ID);

    await missing(oc.Categories.Get(gone.ID, category.ID));
    await missing(oc.Categories.List(gone.ID), gone.ID);
  });
  await step('catalogs take no others’ categories', async () => {
    const other = await sdk.Catalogs.Create({ Name: 'Other' });
    const category = await sdk.Categories.Create(catalog.ID, { Name: 'Here' });
    await missing(oc.Categories.Get(other.ID, category.ID), category.ID);
    await sdk.Categories.Create(other.ID, { ID: category.ID, Name: 'There' });
    contains(await oc.Categories.Get(catalog.ID, category.ID), { Name: 'Here' });
  });
}

async function assigning(walk) {
  const { oc, sdk, world } = walk;
  const catalog = await sdk.Catalogs.Create({ Name: 'Assigned', Active: true });
  const category = await sdk.Categories.Create(catalog.ID, { Name: 'Assigned', Active: true });
  const [buyer, other] = [await world.buyer(), await world.buyer()];
  const group = await world.group(buyer.ID);
  const one = await sdk.Products.Create({ Name: 'One' });
  const two = await sdk.Products.Create({ Name: 'Two' });
  const toBuyer = {
    CatalogID: catalog.ID,
    BuyerID: buyer.ID,
    ViewAllCategories: true,
    ViewAllProducts: false,
  };
  await assignments(walk, {
    title: 'Catalogs to buyers',
    save: (sample) => oc.Catalogs.SaveAssignment(sample),
    list: (query) => oc.Catalogs.ListAssignments(query),
    remove: ({ BuyerID }) => oc.Catalogs.DeleteAssignment(catalog.ID, { buyerID: BuyerID }),
    samples: [{ ...toBuyer, BuyerID: other.ID }, toBuyer],
    ours: { catalogID: catalog.ID },
    queries: [[{ buyerID: buyer.ID }, [1]]],
    changed: { ...toBuyer, BuyerID: other.ID, ViewAllProducts: true },
    dangling: [
      [{ ...toBuyer, CatalogID: 'no-such-catalog' }, 'no-such-catalog'],
      [{ ...toBuyer, BuyerID: 'no-such-buyer' }, 'no-such-buyer'],
    ],
  });
  const inCatalog = (product) => ({ CatalogID: catalog.ID, ProductID: product.ID });
  await assignments(walk, {
    title: 'Products to catalogs',
    save: (sample) => oc.Catalogs.SaveProductAssignment(sample),
    list: (query) => oc.Catalogs.ListProductAssignments(query),
    remove: ({ ProductID }) => oc.Catalogs.DeleteProductAssignment(catalog.ID, ProductID),
    samples: [inCatalog(one), inCatalog(two)],
    ours: { catalogID: catalog.ID },
    queries: [[{ productID: two.ID }, [1]]],
    dangling: [
      [inCatalog({ ID: 'no-such-product' }), 'no-such-product'],
      [{ ...inCatalog(one), CatalogID: 'no-such-catalog' }, 'no-such-catalog'],
    ],
  });
  await sdk.Catalogs.SaveProductAssignment(inCatalog(one));
  const party = { CategoryID: category.ID, BuyerID: buyer.ID };
  await assignments(walk, {
    title: 'Categories to parties',
    save: (sample) => oc.Categories.SaveAssignment(catalog.ID, sample),
    list: (query) => oc.Categories.ListAssignments(catalog.ID, query),
    remove: ({ BuyerID, UserGroupID }) =>
      oc.Categories.DeleteAssignment(catalog.ID, category.ID, {
        buyerID: BuyerID,
        userGroupID: UserGroupID,
      }),
    samples: [
      { ...party, UserGroupID: group.ID, Visible: true, ViewAllProducts: true },
      { ...party, Visible: true, ViewAllProducts: null },
    ],
    ours: { categoryID: category.ID },
    queries: [
      [{ buyerID: buyer.ID, userGroupID: group.ID }, [0]],
      [{ level: 'Group' }, [0]],
      [{ level: 'Company' }, [1]],
    ],
    changed: { ...party, UserGroupID: group.ID, Visible: false, ViewAllProducts: null },
    dangling: [[{ ...party, CategoryID: 'no-such-category' }, 'no-such-category']],
  });
  const inCategory = (product, ListOrder) => ({
    CategoryID: category.ID,
    ProductID: product.ID,
    ListOrder,
  });
  await assignments(walk, {
    title: 'Products to categories',
    save: (sample) => oc.Categories.SaveProductAssignment(catalog.ID, sample),
    list: (query) => oc.Categories.ListProductAssignments(catalog.ID, query),
    remove: ({ ProductID }) =>
      oc.Categories.DeleteProductAssignment(catalog.ID, category.ID, ProductID),
    samples: [inCategory(one, 2), inCategory(two, 1)],
    ours: { categoryID: category.ID },
    queries: [[{ productID: two.ID }, [1]]],
    changed: inCategory(one, 7),
    dangling: [[inCategory({ ID: 'no-such-product' }, 1), 'no-such-product']],
  });
}

async function tree({ oc, sdk, step }) {
  const catalog = await sdk.Catalogs.Create({ Name: 'A tree', Active: true });
  const make = (ID, ParentID, ListOrder) =>
    oc.Categories.Create(catalog.ID, { ID, Name: ID, ParentID, ListOrder, Active: true });

  await step('categories are a tree', async () => {
    await make('top');
    await make('middle', 'top');
    await make('leaf', 'middle');

    contains(await oc.Categories.Get(catalog.ID, 'top'), { ChildCount: 1, ParentID: null });
    contains(await oc.Categories.Get(catalog.ID, 'leaf'), { ChildCount: 0, ParentID: 'middle' });
    const listed = async (depth) => ids(await oc.Categories.List(catalog.ID, { depth })).sort();
    assert.deepEqual(await listed('1'), ['top']);
    assert.deepEqual(await listed('2'), ['middle', 'top']);
    assert.deepEqual(await listed('all'), ['leaf', 'middle', 'top']);
    await refused(oc.Categories.List(catalog.ID, { depth: 'deep' }), 400, 'Category.InvalidDepth');
  });

  await step('a tree has no circles, and parents that are there', async () => {
    const patch = (id, body) => oc.Categories.Patch(catalog.ID, id, body);
    await refused(patch('top', { ParentID: 'leaf' }), 400, 'Category.CircularReference');
    await refused(patch('top', { ParentID: 'top' }), 400, 'Category.CircularReference');
    await missing(patch('leaf', { ParentID: 'no-such-category' }), 'no-such-category');
    contains(await oc.Categories.Get(catalog.ID, 'top'), { ParentID: null });
  });

  await step('a category takes its children along when it is renamed', async () => {
    await oc.Categories.Patch(catalog.ID, 'middle', { ID: 'center' });

    contains(await oc.Categories.Get(catalog.ID, 'leaf'), { ParentID: 'center' });
  });

  await step('the others make room for a category', async () => {
    await make('first', 'top', 1);
    await make('second', 'top', 2);
    const body = { ID: 'new', Name: 'new', ParentID: 'top', ListOrder: 1, Active: true };

    await oc.Categories.Create(catalog.ID, body, { adjustListOrders: true });

    const order = async (id) => (await oc.Categories.Get(catalog.ID, id)).ListOrder;
    assert.deepEqual([await order('new'), await order('first'), await order('second')], [1, 2, 3]);
  });

  await step('a category takes what is under it along when it is deleted', async () => {
    await oc.Categories.Delete(catalog.ID, 'center');

    await missing(oc.Categories.Get(catalog.ID, 'leaf'), 'leaf');
    await oc.Categories.Get(catalog.ID, 'top');
  });
}
