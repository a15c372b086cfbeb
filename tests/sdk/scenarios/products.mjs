// Products, to whom they are assigned at which prices, and who supplies them.

import assert from 'node:assert/strict';

import { assignments } from '../lib/assignments.mjs';
import { crud, word } from '../lib/crud.mjs';
import { contains, holds, ids, missing, refused } from '../lib/expect.mjs';
import * as things from '../lib/things.mjs';
import { own } from '../lib/world.mjs';

export default async function products(walk) {
  const { oc, sdk, step, world } = walk;
  const supplier = await world.supplier();
  const schedule = await sdk.PriceSchedules.Create({
    Name: 'Default',
    PriceBreaks: [{ Quantity: 1, Price: 10 }],
  });
  const from = await sdk.AdminAddresses.Create(things.address.least());
  await crud(walk, {
    resource: 'Products',
    least: () => ({ Name: 'Least' }),
    full: (n) => ({
      Name: `Crane ${word(n)}`,
      Description: 'Lifts',
      DefaultPriceScheduleID: schedule.ID,
      AutoForward: true,
      QuantityMultiplier: 6,
      ShipWeight: 1.5,
      ShipHeight: 2.25,
      ShipWidth: 3,
      ShipLength: 4,
      Active: true,
      ShipFromAddressID: from.ID,
      Inventory: {
        Enabled: true,
        NotificationPoint: 5,
        OrderCanExceed: true,
        QuantityAvailable: n,
      },
      DefaultSupplierID: supplier.ID,
      AllSuppliersCanSell: true,
      Returnable: true,
    }),
    defaults: {
      QuantityMultiplier: 1,
      SpecCount: 0,
      VariantCount: 0,
      IsParent: false,
      IsBundle: false,
    },
    wrong: [
      { ID: 'no id', Name: things.long(101), ShipWeight: 'heavy' },
      ['ID', 'Name', 'ShipWeight'],
    ],
    mistyped: { ShipWeight: 'heavy' },
    roles: { read: 'ProductReader', write: 'ProductAdmin' },
  });
  await searching(walk);
  await references(walk);
  await assigning(walk);
  await supplying(walk);

  await step('products have parents', async () => {
    const parent = await oc.Products.Create({ Name: 'Parent', IsParent: true });

    const child = await oc.Products.Create({ Name: 'Child', ParentID: parent.ID });

    contains(child, { ParentID: parent.ID, IsParent: false });
    const grandchild = { Name: 'Grandchild', ParentID: child.ID };
    await refused(oc.Products.Create(grandchild), 400, 'Product.IsNotParent');
    await refused(
      oc.Products.Create({ Name: 'Both', IsParent: true, ParentID: parent.ID }),
      400,
      'Product.ParentProductCannotHaveParent',
    );
    await refused(oc.Products.Delete(parent.ID), [400, 409], 'Product.CannotDeleteParentProduct');
  });
}

async function searching({ oc, sdk, step }) {
  const marker = own('m');
  const make = (Name, Description, xp = {}) =>
    sdk.Products.Create({ Name, Description, Active: true, xp: { Marker: marker, ...xp } });
  const both = await make('Steel hook', 'For a heavy crane');
  const spread = await make('Heavy chain', 'Steel, galvanised');
  const one = await make('Wooden box', 'With steel edges', { Inner: { Kind: 'crate' } });
  const search = async (options) => {
    const page = await oc.Products.List({ ...options, filters: { 'xp.Marker': marker } });
    return ids(page).sort();
  };
  const sorted = (...found) => found.map((product) => product.ID).sort();

  await step('Products: search by any term, all terms, a phrase or its beginning', async () => {
    const heavySteel = { search: 'steel heavy' };
    assert.deepEqual(
      await search({ ...heavySteel, searchType: 'AnyTerm' }),
      sorted(both, spread, one),
    );
    assert.deepEqual(
      await search({ ...heavySteel, searchType: 'AllTermsAnyField' }),
      sorted(both, spread),
    );
    assert.deepEqual(await search({ ...heavySteel, searchType: 'AllTermsSameField' }), []);
    assert.deepEqual(
      await search({ search: 'steel hook', searchType: 'ExactPhrase' }),
      sorted(both),
    );
    assert.deepEqual(
      await search({ search: 'heavy cha', searchType: 'ExactPhrasePrefix' }),
      sorted(spread),
    );
    await refused(oc.Products.List({ search: 'a', searchType: 'Telepathy' }), 400);
  });

  await step('Products: search and sort in xp', async () => {
    assert.deepEqual(await search({ search: 'crate', searchOn: ['xp.Inner.Kind'] }), sorted(one));
    const page = await oc.Products.List({
      sortBy: ['!xp.Inner.Kind', 'Name'],
      filters: { 'xp.Marker': marker },
    });
    assert.equal(page.Items[0].ID, one.ID);
  });

  await step('Products: lists by catalog, category and supplier', async () => {
    const catalog = await sdk.Catalogs.Create({ Name: 'Listed', Active: true });
    const category = await sdk.Categories.Create(catalog.ID, { Name: 'Listed', Active: true });
    const supplier = await sdk.Suppliers.Create({ Name: 'Listed', Active: true });
    for (const product of [both, spread]) {
      await sdk.Catalogs.SaveProductAssignment({ CatalogID: catalog.ID, ProductID: product.ID });
    }
    await sdk.Categories.SaveProductAssignment(catalog.ID, {
      CategoryID: category.ID,
      ProductID: both.ID,
    });
    await sdk.Products.Patch(spread.ID, { DefaultSupplierID: supplier.ID });

    assert.deepEqual(await search({ catalogID: catalog.ID }), sorted(both, spread));
    assert.deepEqual(
      await search({ catalogID: catalog.ID, categoryID: category.ID }),
      sorted(both),
    );
    assert.deepEqual(await search({ supplierID: supplier.ID }), sorted(spread));
    await refused(
      oc.Products.List({ categoryID: category.ID }),
      400,
      'Product.CategoryFilterRequiresCatalogID',
    );
  });
}

async function references({ oc, sdk, step }) {
  await step('Products: what a product names must be there', async () => {
    const { ID } = await sdk.Products.Create({ Name: 'Naming' });
    for (const field of ['DefaultPriceScheduleID', 'DefaultSupplierID', 'ParentID']) {
      await missing(oc.Products.Patch(ID, { [field]: 'no-such-thing' }), 'no-such-thing');
    }
    contains(await oc.Products.Get(ID), { DefaultPriceScheduleID: null, DefaultSupplierID: null });
  });
}

async function assigning(walk) {
  const { oc, sdk, step, world } = walk;
  const product = await sdk.Products.Create({ Name: 'Assigned', Active: true });
  const buyer = await world.buyer();
  const group = await world.group(buyer.ID);
  const schedule = () =>
    sdk.PriceSchedules.Create({ Name: 'Assigned', PriceBreaks: [{ Quantity: 1, Price: 5 }] });
  const [cheap, dear] = [await schedule(), await schedule()];
  const toBuyer = { ProductID: product.ID, BuyerID: buyer.ID, PriceScheduleID: dear.ID };
  const toGroup = { ...toBuyer, UserGroupID: group.ID, PriceScheduleID: cheap.ID };

  await assignments(walk, {
    title: 'Products',
    save: (sample) => oc.Products.SaveAssignment(sample),
    list: (query) => oc.Products.ListAssignments(query),
    remove: ({ BuyerID, UserGroupID }) =>
      oc.Products.DeleteAssignment(product.ID, BuyerID, { userGroupID: UserGroupID }),
    samples: [toGroup, toBuyer],
    ours: { productID: product.ID },
    queries: [
      [{ buyerID: buyer.ID }, [0, 1]],
      [{ userGroupID: group.ID, buyerID: buyer.ID }, [0]],
      [{ priceScheduleID: dear.ID }, [1]],
      [{ level: 'Group' }, [0]],
      [{ level: 'Company' }, [1]],
    ],
    changed: { ...toGroup, PriceScheduleID: dear.ID },
    dangling: [
      [{ ...toBuyer, ProductID: 'no-such-product' }, 'no-such-product'],
      [{ ...toBuyer, BuyerID: 'no-such-buyer' }, 'no-such-buyer'],
      [{ ...toBuyer, PriceScheduleID: 'no-such-prices' }, 'no-such-prices'],
    ],
  });

  await step('ProductAssignmentAdmin assigns and writes no products', async () => {
    await world.as(await world.tokenWith('ProductAssignmentAdmin'), async () => {
      await oc.Products.SaveAssignment(toGroup);
      holds(await oc.Products.ListAssignments({ productID: product.ID }), [toGroup, toBuyer]);
      await refused(oc.Products.Create({ Name: 'No' }), 403, 'Auth.InsufficientRoles');
    });
  });
}

async function supplying({ oc, sdk, step, world }) {
  const product = await sdk.Products.Create({ Name: 'Supplied', Active: true });
  const [one, two] = [await world.supplier(), await world.supplier()];
  const schedule = await sdk.PriceSchedules.Create({
    Name: 'Of a supplier',
    OwnerID: one.ID,
    PriceBreaks: [{ Quantity: 1, Price: 5 }],
  });

  await step('Products: suppliers are added with their prices, and removed', async () => {
    await oc.Products.SaveSupplier(product.ID, one.ID, { defaultPriceScheduleID: schedule.ID });
    await oc.Products.SaveSupplier(product.ID, two.ID);
    await oc.Products.SaveSupplier(product.ID, two.ID);

    const told = [
      { ID: one.ID, Name: one.Name, DefaultPriceScheduleID: schedule.ID },
      { ID: two.ID, Name: two.Name, DefaultPriceScheduleID: null },
    ];
    holds(await oc.Products.ListSuppliers(product.ID), told);
    await oc.Products.RemoveSupplier(product.ID, one.ID);
    holds(await oc.Products.ListSuppliers(product.ID), told.slice(1));
    await missing(oc.Products.SaveSupplier(product.ID, 'no-such-supplier'), 'no-such-supplier');
    await missing(oc.Products.ListSuppliers('no-such-product'), 'no-such-product');
  });
}
