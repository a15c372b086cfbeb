// Which products, at which prices, a buyer's user sees.

import assert from 'node:assert/strict';

import { contains, holds, ids, missing } from '../lib/expect.mjs';
import * as things from '../lib/things.mjs';

// Gives a product a spec with these options, and a variant for each.
async function varied(sdk, product, options) {
  const spec = await sdk.Specs.Create({ Name: 'Color', DefinesVariant: true, Required: true });
  for (const ID of options) await sdk.Specs.CreateOption(spec.ID, { ID, Value: ID });
  await sdk.Specs.SaveProductAssignment({ SpecID: spec.ID, ProductID: product.ID });
  await sdk.Products.GenerateVariants(product.ID, {});
  return spec;
}

const price = (Price) => ({ PriceBreaks: [{ Quantity: 1, Price }] });

export default async function meProducts(walk) {
  const { oc, sdk, world } = walk;
  const shop = await world.shopper();
  const scene = {
    ...shop,
    // A catalog that the buyer has, of which nothing is shown by itself.
    catalog: async (fields = {}, view = {}) => {
      const catalog = await sdk.Catalogs.Create({ Name: 'A catalog', Active: true, ...fields });
      const assignment = { CatalogID: catalog.ID, BuyerID: shop.buyer.ID, ...view };
      await sdk.Catalogs.SaveAssignment(assignment);
      return catalog;
    },
    category: (catalog, fields = {}) =>
      sdk.Categories.Create(catalog.ID, { Name: 'A category', Active: true, ...fields }),
    product: async (catalog, fields = {}) => {
      const product = await sdk.Products.Create({ Name: 'A product', Active: true, ...fields });
      const assignment = { CatalogID: catalog.ID, ProductID: product.ID };
      await sdk.Catalogs.SaveProductAssignment(assignment);
      return product;
    },
    file: (catalog, category, product) =>
      sdk.Categories.SaveProductAssignment(catalog.ID, {
        CategoryID: category.ID,
        ProductID: product.ID,
      }),
    schedule: (Price) => sdk.PriceSchedules.Create({ Name: `At ${Price}`, ...price(Price) }),
    asMe: (body) => world.as(shop.token, body),
    seen: async (options) =>
      ids(await world.as(shop.token, () => oc.Me.ListProducts(options))).sort(),
  };
  await visibility(walk, scene);
  await categories(walk, scene);
  await prices(walk, scene);
}

async function visibility({ oc, sdk, step, world }, scene) {
  const { buyer, group, catalog, product, seen, asMe } = scene;

  await step('My products: those of a catalog that shows all', async () => {
    const spring = await catalog();
    const crane = await product(spring);
    assert.deepEqual(await seen({ catalogID: spring.ID }), []);
    await asMe(() => missing(oc.Me.GetProduct(crane.ID), crane.ID));

    await sdk.Catalogs.SaveAssignment({
      CatalogID: spring.ID,
      BuyerID: buyer.ID,
      ViewAllProducts: true,
    });

    assert.deepEqual(await seen({ catalogID: spring.ID }), [crane.ID]);
    contains(await asMe(() => oc.Me.GetProduct(crane.ID)), { ID: crane.ID, PriceSchedule: null });
    const { token } = await world.shopper();
    await world.as(token, () => missing(oc.Me.GetProduct(crane.ID), crane.ID));
  });

  await step(
    'My products: those that are assigned to my company or to a group of mine',
    async () => {
      const spring = await catalog();
      const [mine, ours, neither] = [
        await product(spring),
        await product(spring),
        await product(spring),
      ];
      const stranger = await world.group(buyer.ID);
      const assign = (ProductID, UserGroupID) =>
        sdk.Products.SaveAssignment({ ProductID, BuyerID: buyer.ID, UserGroupID });

      await assign(mine.ID, group.ID);
      await assign(ours.ID);
      await assign(neither.ID, stranger.ID);

      assert.deepEqual(await seen({ catalogID: spring.ID }), [mine.ID, ours.ID].sort());
    },
  );

  await step('My products: nothing that is not active, nor of a catalog that is not', async () => {
    const [spring, autumn] = [
      await catalog({}, { ViewAllProducts: true }),
      await catalog({ Active: false }, { ViewAllProducts: true }),
    ];
    const shown = await product(spring);
    const idle = await product(spring, { Active: false });
    const late = await product(autumn);

    assert.deepEqual(await seen({ catalogID: spring.ID }), [shown.ID]);
    await asMe(async () => {
      await missing(oc.Me.GetProduct(idle.ID), idle.ID);
      await missing(oc.Me.GetProduct(late.ID), late.ID);
      await missing(oc.Me.GetCatalog(autumn.ID), autumn.ID);
      contains(await oc.Me.GetCatalog(spring.ID), { ID: spring.ID, Name: spring.Name });
      const both = { filters: { ID: `${spring.ID}|${autumn.ID}` } };
      assert.deepEqual(ids(await oc.Me.ListCatalogs(both)), [spring.ID]);
    });
  });

  await step('My products: the default catalog is meant where none is named', async () => {
    const home = { ID: buyer.DefaultCatalogID };
    await sdk.Catalogs.SaveAssignment({
      CatalogID: home.ID,
      BuyerID: buyer.ID,
      ViewAllProducts: true,
    });
    const crane = await product(home, { xp: { At: 'home' } });
    const category = await scene.category(home);
    await scene.file(home, category, crane);
    await sdk.Categories.SaveAssignment(home.ID, {
      CategoryID: category.ID,
      BuyerID: buyer.ID,
      Visible: true,
    });

    assert.deepEqual(await seen({ categoryID: category.ID }), [crane.ID]);
    assert.deepEqual(await seen({ filters: { 'xp.At': 'home' } }), [crane.ID]);
    await asMe(async () => {
      contains(await oc.Me.GetCategory(category.ID), { ID: category.ID });
      assert.ok(ids(await oc.Me.ListCategories()).includes(category.ID));
    });
  });
}

async function categories({ oc, sdk, step }, scene) {
  const { buyer, catalog, category, product, file, seen, asMe } = scene;
  const assign = (inCatalog, to, fields) =>
    sdk.Categories.SaveAssignment(inCatalog.ID, {
      CategoryID: to.ID,
      BuyerID: buyer.ID,
      ...fields,
    });

  await step(
    'My products: a category shows its own and those under it, unless one says no',
    async () => {
      const spring = await catalog();
      const top = await category(spring);
      const under = await category(spring, { ParentID: top.ID });
      const hidden = await category(spring, { ParentID: top.ID });
      const [one, two, three] = [
        await product(spring),
        await product(spring),
        await product(spring),
      ];
      await file(spring, top, one);
      await file(spring, under, two);
      await file(spring, hidden, three);
      await assign(spring, top, { Visible: true, ViewAllProducts: true });
      await assign(spring, hidden, { Visible: true, ViewAllProducts: false });

      assert.deepEqual(await seen({ catalogID: spring.ID }), [one.ID, two.ID].sort());
      const inTop = { catalogID: spring.ID, categoryID: top.ID };
      assert.deepEqual(await seen(inTop), [one.ID, two.ID].sort());
      assert.deepEqual(await seen({ ...inTop, depth: '1' }), [one.ID]);
      await sdk.Categories.Patch(spring.ID, under.ID, { Active: false });
      assert.deepEqual(await seen({ catalogID: spring.ID }), [one.ID]);
    },
  );

  await step('My categories: those that are shown to me', async () => {
    const spring = await catalog();
    const [shown, child, hidden, idle] = [
      await category(spring, { ID: 'shown' }),
      await category(spring, { ID: 'child', ParentID: 'shown' }),
      await category(spring, { ID: 'hidden' }),
      await category(spring, { ID: 'idle', Active: false }),
    ];
    await assign(spring, shown, { Visible: true });
    await assign(spring, idle, { Visible: true });

    await asMe(async () => {
      const listed = (options) => oc.Me.ListCategories({ catalogID: spring.ID, ...options });
      assert.deepEqual(ids(await listed({ depth: 'all' })).sort(), [child.ID, shown.ID]);
      assert.deepEqual(ids(await listed({ depth: '1' })), [shown.ID]);
      contains(await oc.Me.GetCategory('child', { catalogID: spring.ID }), { ParentID: 'shown' });
      await missing(oc.Me.GetCategory(hidden.ID, { catalogID: spring.ID }), hidden.ID);
    });
    const open = await catalog({}, { ViewAllCategories: true });
    await category(open, { ID: 'open' });
    await asMe(async () => {
      assert.deepEqual(ids(await oc.Me.ListCategories({ catalogID: open.ID })), ['open']);
    });
  });
}

async function prices({ oc, sdk, step, world }, scene) {
  const { buyer, group, catalog, product, schedule, asMe } = scene;
  const spring = await catalog({}, { ViewAllProducts: true });

  await step('My prices: a group’s before the company’s before the product’s own', async () => {
    const [own, ours, mine] = [await schedule(30), await schedule(20), await schedule(10)];
    const crane = await product(spring, { DefaultPriceScheduleID: own.ID });
    const to = (PriceScheduleID, UserGroupID) =>
      sdk.Products.SaveAssignment({
        ProductID: crane.ID,
        BuyerID: buyer.ID,
        PriceScheduleID,
        UserGroupID,
      });
    const found = async () => (await asMe(() => oc.Me.GetProduct(crane.ID))).PriceSchedule;

    contains(await found(), { ID: own.ID, ...price(30) });
    await to(ours.ID);
    contains(await found(), { ID: ours.ID, ...price(20) });
    await to(mine.ID, group.ID);
    contains(await found(), { ID: mine.ID, ...price(10) });
    const page = await asMe(() =>
      oc.Me.ListProducts({ catalogID: spring.ID, filters: { ID: crane.ID } }),
    );
    holds(page, [{ ID: crane.ID, PriceSchedule: { ID: mine.ID } }]);
  });

  await step('My product: its specs and variants', async () => {
    const shirt = await product(spring);
    const spec = await varied(sdk, shirt, ['red', 'blue']);
    const [one, two] = (await sdk.Products.ListVariants(shirt.ID)).Items;
    await sdk.Products.PatchVariant(shirt.ID, two.ID, { Active: false });

    await asMe(async () => {
      contains((await oc.Me.ListSpecs(shirt.ID)).Items, [{ ID: spec.ID, OptionCount: 2 }]);
      contains(await oc.Me.GetSpec(shirt.ID, spec.ID), { ID: spec.ID, Name: 'Color' });
      assert.deepEqual(ids(await oc.Me.ListVariants(shirt.ID)), [one.ID]);
      contains(await oc.Me.GetVariant(shirt.ID, one.ID), { ID: one.ID, Specs: one.Specs });
      await missing(oc.Me.GetVariant(shirt.ID, two.ID), two.ID);
      await missing(oc.Me.ListSpecs('no-such-product'), 'no-such-product');
    });
  });

  await step('My product: the inventory that is there for me', async () => {
    const place = await sdk.AdminAddresses.Create(things.address.least());
    const record = (fields) => ({ AddressID: place.ID, QuantityAvailable: 5, ...fields });
    const crane = await product(spring, { Inventory: { Enabled: true } });
    const open = await sdk.InventoryRecords.Create(crane.ID, record());
    const given = await sdk.InventoryRecords.Create(crane.ID, record({ AllowAllBuyers: false }));
    await sdk.InventoryRecords.Create(crane.ID, record({ AllowAllBuyers: false }));
    await sdk.InventoryRecords.SaveAssignment(crane.ID, {
      InventoryRecordID: given.ID,
      BuyerID: buyer.ID,
    });

    await asMe(async () => {
      const page = await oc.Me.ListProductInventoryRecords(crane.ID, { includeAddress: true });
      holds(page, [
        { ID: open.ID, QuantityAvailable: 5, Address: { City: place.City } },
        { ID: given.ID, QuantityAvailable: 5 },
      ]);
      contains(await oc.Me.GetProduct(crane.ID), { Inventory: { QuantityAvailable: 10 } });
    });
  });

  await step('My product: the inventory of a variant', async () => {
    const place = await sdk.AdminAddresses.Create(things.address.least());
    const shirt = await product(spring, {
      Inventory: { Enabled: true, VariantLevelTracking: true },
    });
    await varied(sdk, shirt, ['red']);
    const [red] = (await sdk.Products.ListVariants(shirt.ID)).Items;
    const body = { AddressID: place.ID, QuantityAvailable: 3 };
    const record = await sdk.InventoryRecords.CreateVariant(shirt.ID, red.ID, body);

    const page = await asMe(() => oc.Me.ListVariantInventoryRecords(shirt.ID, red.ID));

    holds(page, [{ ID: record.ID, QuantityAvailable: 3 }]);
  });

  await step('My product: who sells it, at which price', async () => {
    const supplier = await world.supplier({ AllBuyersCanOrder: true });
    const crane = await product(spring);
    const dear = await sdk.PriceSchedules.Create({
      Name: 'Theirs',
      OwnerID: supplier.ID,
      ...price(9),
    });
    await sdk.Products.SaveSupplier(crane.ID, supplier.ID, { defaultPriceScheduleID: dear.ID });

    await asMe(async () => {
      const page = await oc.Me.ListProductSellers(crane.ID, { filters: { ID: supplier.ID } });
      holds(page, [{ ID: supplier.ID, Name: supplier.Name, PriceSchedule: { ID: dear.ID } }]);
      const theirs = await oc.Me.GetProduct(crane.ID, { sellerID: supplier.ID });
      contains(theirs.PriceSchedule, { ID: dear.ID });
    });
  });
}
