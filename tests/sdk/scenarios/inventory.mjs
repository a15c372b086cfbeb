// Inventory records: of products and of variants, at addresses, for some buyers or for all.

import assert from 'node:assert/strict';

import { assignments } from '../lib/assignments.mjs';
import { crud } from '../lib/crud.mjs';
import { contains, missing, refused } from '../lib/expect.mjs';
import * as things from '../lib/things.mjs';
import { own } from '../lib/world.mjs';

const tracked = { Enabled: true };

export default async function inventory(walk) {
  const { oc, sdk, step } = walk;
  const address = await sdk.AdminAddresses.Create({ ID: own('place'), ...things.address.least() });
  const stocked = (fields = {}) =>
    sdk.Products.Create({ Name: 'Stocked', Active: true, Inventory: { ...tracked, ...fields } });
  const product = await stocked();
  const varied = await stocked({ VariantLevelTracking: true });
  const variant = await variantOf(walk, varied);
  const least = () => ({ AddressID: address.ID, QuantityAvailable: 1 });
  const plan = {
    resource: 'InventoryRecords',
    least,
    full: (n) => ({
      AddressID: address.ID,
      AllowAllBuyers: false,
      OrderCanExceed: true,
      QuantityAvailable: 10 * n,
      NotificationPoint: 3,
    }),
    defaults: { AllowAllBuyers: true },
    change: { QuantityAvailable: 77 },
    clears: 'NotificationPoint',
    wrong: [{ AddressID: null, QuantityAvailable: 'some' }, ['AddressID', 'QuantityAvailable']],
    mistyped: { QuantityAvailable: 'some' },
    word: null,
    sortBy: 'AddressID',
    unlisted: ['Address'],
    roles: { read: 'ProductReader', write: 'ProductAdmin' },
  };
  await crud(walk, { ...plan, under: [product.ID] });
  await crud(walk, {
    ...plan,
    title: 'Inventory records of variants',
    under: [varied.ID, variant.ID],
    verbs: {
      List: 'ListVariant',
      Create: 'CreateVariant',
      Get: 'GetVariant',
      Save: 'SaveVariant',
      Patch: 'PatchVariant',
      Delete: 'DeleteVariant',
    },
  });
  await assigning(walk, '', [product.ID], await sdk.InventoryRecords.Create(product.ID, least()));
  await assigning(
    walk,
    'Variant',
    [varied.ID, variant.ID],
    await sdk.InventoryRecords.CreateVariant(varied.ID, variant.ID, least()),
  );

  await step('what is available is the sum of the records', async () => {
    const { ID } = await stocked();
    const first = await oc.InventoryRecords.Create(ID, { ...least(), QuantityAvailable: 7 });
    await oc.InventoryRecords.Create(ID, { ...least(), QuantityAvailable: 5 });

    contains(await oc.Products.Get(ID), { Inventory: { QuantityAvailable: 12 } });
    await oc.InventoryRecords.Patch(ID, first.ID, { QuantityAvailable: 1 });
    contains(await oc.Products.Get(ID), { Inventory: { QuantityAvailable: 6 } });
    await oc.InventoryRecords.Delete(ID, first.ID);
    contains(await oc.Products.Get(ID), { Inventory: { QuantityAvailable: 5 } });
  });

  await step('a record is at an address that is there, and lists show it on demand', async () => {
    const { ID } = await stocked();
    const nowhere = { ...least(), AddressID: 'no-such-place' };
    await missing(oc.InventoryRecords.Create(ID, nowhere), 'no-such-place');
    await oc.InventoryRecords.Create(ID, least());

    const [plain] = (await oc.InventoryRecords.List(ID)).Items;
    const [whole] = (await oc.InventoryRecords.List(ID, { includeAddress: true })).Items;

    assert.equal(plain.AddressID, address.ID);
    contains(whole.Address, { ID: address.ID, City: address.City });
    await refused(
      oc.AdminAddresses.Delete(address.ID),
      [400, 409],
      'Address.CannotDeleteInventoryRecordAddress',
    );
  });

  await step('records of a product go with it', async () => {
    const { ID } = await stocked();
    const record = await oc.InventoryRecords.Create(ID, least());
    await oc.Products.Delete(ID);
    await missing(oc.InventoryRecords.Get(ID, record.ID));
    await missing(oc.InventoryRecords.List(ID), ID);
  });
}

async function variantOf({ sdk }, product) {
  const spec = await sdk.Specs.Create({ Name: 'Color', DefinesVariant: true, Required: true });
  await sdk.Specs.CreateOption(spec.ID, { ID: 'red', Value: 'Red' });
  await sdk.Specs.SaveProductAssignment({ SpecID: spec.ID, ProductID: product.ID });
  await sdk.Products.GenerateVariants(product.ID, {});
  return (await sdk.Products.ListVariants(product.ID)).Items[0];
}

async function assigning(walk, kind, under, record) {
  const { oc, world } = walk;
  const buyer = await world.buyer();
  const group = await world.group(buyer.ID);
  const toBuyer = { InventoryRecordID: record.ID, BuyerID: buyer.ID };
  const service = oc.InventoryRecords;

  await assignments(walk, {
    title: `Inventory records ${kind}`.trim(),
    save: (sample) => service[`Save${kind}Assignment`](...under, sample),
    list: (query) => service[`List${kind}Assignments`](...under, query),
    remove: ({ BuyerID, UserGroupID }) =>
      service[`Delete${kind}Assignment`](...under, record.ID, {
        buyerID: BuyerID,
        userGroupID: UserGroupID,
      }),
    samples: [{ ...toBuyer, UserGroupID: group.ID }, toBuyer],
    ours: { inventoryRecordID: record.ID },
    queries: [
      [{ buyerID: buyer.ID, userGroupID: group.ID }, [0]],
      [{ level: 'Group' }, [0]],
      [{ level: 'Company' }, [1]],
    ],
    dangling: [
      [{ ...toBuyer, InventoryRecordID: 'no-such-record' }, 'no-such-record'],
      [{ ...toBuyer, BuyerID: 'no-such-buyer' }, 'no-such-buyer'],
    ],
  });
}
