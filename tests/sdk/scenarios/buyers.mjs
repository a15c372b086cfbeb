// Buyers, and who sells to them.

import assert from 'node:assert/strict';

import { crud, word } from '../lib/crud.mjs';
import { holds, ids, missing, refused } from '../lib/expect.mjs';
import { long } from '../lib/things.mjs';
import { own } from '../lib/world.mjs';

export default async function buyers(walk) {
  const { oc, sdk, step, world } = walk;

  await crud(walk, {
    resource: 'Buyers',
    renames: false,
    least: () => ({ Name: 'Least' }),
    full: (n) => ({ Name: `Buyer ${word(n)}`, Active: true }),
    clears: null,
    wrong: [{ ID: 'no id', Name: long(101), Active: 'maybe' }, ['ID', 'Name', 'Active']],
    roles: { read: 'BuyerReader', write: 'BuyerAdmin' },
  });

  await step('a buyer that names no default catalog gets one with its ID', async () => {
    const buyer = await oc.Buyers.Create({
      ID: own('buyer'),
      Name: 'With a catalog',
      Active: true,
    });

    assert.equal(buyer.DefaultCatalogID, buyer.ID);
    const catalog = await oc.Catalogs.Get(buyer.ID);
    assert.equal(catalog.Active, true);
    const assigned = await oc.Catalogs.ListAssignments({ catalogID: catalog.ID });
    holds(assigned, [{ CatalogID: catalog.ID, BuyerID: buyer.ID }]);
  });

  await step('a buyer may name the catalog that is its default', async () => {
    const catalog = await sdk.Catalogs.Create({ ID: own('catalog'), Name: 'Named', Active: true });

    const buyer = await oc.Buyers.Create({ Name: 'Named', DefaultCatalogID: catalog.ID });

    assert.equal(buyer.DefaultCatalogID, catalog.ID);
    await missing(oc.Buyers.Create({ Name: 'Not there', DefaultCatalogID: 'no-such-catalog' }));
  });

  await step('who may sell to a buyer: suppliers of all, and those it was given', async () => {
    const buyer = await world.buyer();
    const open = await world.supplier({ AllBuyersCanOrder: true });
    const given = await world.supplier({ AllBuyersCanOrder: false });
    const other = await world.supplier({ AllBuyersCanOrder: false });
    await sdk.Suppliers.SaveBuyer(given.ID, buyer.ID);

    const either = { filters: { ID: `${open.ID}|${given.ID}|${other.ID}` }, sortBy: ['ID'] };
    const sellers = await oc.Buyers.ListBuyerSellers(buyer.ID, either);

    assert.deepEqual(ids(sellers).sort(), [open.ID, given.ID].sort());
    await missing(oc.Buyers.ListBuyerSellers('no-such-buyer'), 'no-such-buyer');
  });

  await step('what a buyer owns goes with it', async () => {
    const buyer = await world.buyer();
    const user = await world.user(buyer.ID);

    await oc.Buyers.Delete(buyer.ID);

    await missing(sdk.Users.Get(buyer.ID, user.ID));
    // Its catalog stays, for others may see it too.
    const again = await world.buyer({ ID: buyer.ID, DefaultCatalogID: buyer.DefaultCatalogID });
    assert.deepEqual(ids(await sdk.Users.List(again.ID)), []);
  });

  await step('nobody of a buyer that is not active logs in', async () => {
    const { buyer, user, client, token } = await world.shopper();

    await oc.Buyers.Patch(buyer.ID, { Active: false });

    await refused(world.login(client, user, ['Shopper']), [400, 401, 403], 'Auth.CompanyNotActive');
    await refused(
      world.as(token, () => sdk.Me.Get()),
      [401, 403],
    );
    await oc.Buyers.Patch(buyer.ID, { Active: true });
    await world.login(client, user, ['Shopper']);
  });
}
