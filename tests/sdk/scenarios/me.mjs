// What users do for themselves: profile, password, addresses, cards, and what is assigned to them.

import assert from 'node:assert/strict';

import { crud } from '../lib/crud.mjs';
import { contains, holds, ids, missing, refused } from '../lib/expect.mjs';
import * as things from '../lib/things.mjs';
import { PASSWORD, claims, own } from '../lib/world.mjs';
import { creditCard } from './accounts.mjs';

const ROLES = [
  'Shopper',
  'MeAdmin',
  'MeXpAdmin',
  'MeAddressAdmin',
  'MeCreditCardAdmin',
  'PasswordReset',
];

export default async function me(walk) {
  const shop = await walk.world.shopper(ROLES);
  await profile(walk, shop);
  await crud(walk, {
    ...things.address,
    ...privately('Address', 'Addresses'),
    token: shop.token,
    least: () => ({ ...things.address.least(), Shipping: true }),
    full: (n) => ({ ...things.address.full(n), Shipping: true, Billing: true }),
    defaults: { Editable: true },
  });
  await crud(walk, {
    ...creditCard,
    ...privately('CreditCard', 'CreditCards'),
    token: shop.token,
    defaults: { Editable: true },
  });
  await assigned(walk, shop);
  await promotions(walk, shop);
  await registering(walk, shop);
}

const privately = (one, all) => ({
  title: `My ${all}`,
  resource: 'Me',
  ids: 'server',
  verbs: {
    List: `List${all}`,
    Create: `Create${one}`,
    Get: `Get${one}`,
    Save: `Save${one}`,
    Patch: `Patch${one}`,
    Delete: `Delete${one}`,
  },
});

async function profile({ oc, sdk, step, world }, { buyer, user, group, client, token }) {
  const mine = (name, body) => step(`Me: ${name}`, () => world.as(token, body));

  await mine('who I am, and of which company', async () => {
    const found = await oc.Me.Get();
    contains(found, {
      ID: user.ID,
      Username: user.Username,
      CompanyID: buyer.ID,
      Buyer: { ID: buyer.ID, DefaultCatalogID: buyer.DefaultCatalogID },
      Supplier: null,
      Seller: null,
    });
    assert.deepEqual(found.AvailableRoles.sort(), [...ROLES].sort());
    contains((await oc.Me.ListUserGroups()).Items, [{ ID: group.ID, Name: group.Name }]);
  });

  await mine('I change my profile', async () => {
    const patched = await oc.Me.Patch({ FirstName: 'Grace', xp: { A: { B: 1 } } });
    contains(patched, { FirstName: 'Grace', LastName: user.LastName });
    await oc.Me.Patch({ xp: { A: { C: 2 } } });
    assert.deepEqual((await oc.Me.Get()).xp, { A: { B: 1, C: 2 } });
    const { Username, Email } = user;
    const body = { Username, Email, FirstName: 'Ada', LastName: 'Byron', Active: true };
    const saved = await oc.Me.Save({ ...body, xp: { Fresh: true } });
    contains(saved, { ...body, ID: user.ID, xp: { Fresh: true } });
    assert.equal(saved.xp.A, undefined);
    await refused(oc.Me.Patch({ FirstName: things.long(101) }), 400);
    contains(await world.as(await world.tokenWith(), () => sdk.Users.Get(buyer.ID, user.ID)), body);
  });

  await step('Me: what needs a role is refused without it', async () => {
    const shopping = await world.login(client, user, ['Shopper']);
    const writing = await world.login(client, user, ['MeAdmin']);
    const code = 'Auth.InsufficientRoles';
    await world.as(shopping, async () => {
      await refused(oc.Me.Patch({ FirstName: 'No' }), 403, code);
      await refused(oc.Me.CreateAddress(things.address.least()), 403, code);
      await refused(oc.Me.CreateCreditCard({}), 403, code);
      await refused(oc.Me.ResetPasswordByToken({ NewPassword: PASSWORD }), 403, code);
      await oc.Me.ListAddresses();
    });
    await world.as(writing, async () => {
      await refused(oc.Me.Patch({ xp: { No: 1 } }), 403);
      await refused(oc.Me.ListProducts(), 403, code);
    });
  });

  await step('Me: I set my password', async () => {
    const fresh = await world.user(buyer.ID);
    const permitted = await world.login(client, fresh, ['PasswordReset']);
    const changed = 'Another-horse-8-staple';

    await world.as(permitted, () => oc.Me.ResetPasswordByToken({ NewPassword: changed }));

    await world.login(client, fresh, ['Shopper'], changed);
    await refused(world.login(client, fresh, ['Shopper'], PASSWORD), [400, 401]);
  });
}

async function assigned({ oc, sdk, step, world }, { buyer, user, group, token }) {
  const mine = (name, body) => step(`Me: ${name}`, () => world.as(token, body));
  const address = await sdk.Addresses.Create(buyer.ID, things.address.full(1));
  await sdk.Addresses.SaveAssignment(buyer.ID, {
    AddressID: address.ID,
    UserGroupID: group.ID,
    IsShipping: true,
    IsBilling: false,
  });
  const card = await sdk.CreditCards.Create(buyer.ID, creditCard.full(1));
  await sdk.CreditCards.SaveAssignment(buyer.ID, { CreditCardID: card.ID, UserID: user.ID });
  const center = await sdk.CostCenters.Create(buyer.ID, { Name: 'Mine' });
  await sdk.CostCenters.Create(buyer.ID, { Name: 'Not mine' });
  await sdk.CostCenters.SaveAssignment(buyer.ID, {
    CostCenterID: center.ID,
    UserGroupID: group.ID,
  });
  const account = (Name) => sdk.SpendingAccounts.Create(buyer.ID, { Name, Balance: 10 });
  const [spending, other] = [await account('Mine'), await account('Not mine')];
  await sdk.SpendingAccounts.SaveAssignment(buyer.ID, { SpendingAccountID: spending.ID });

  await mine('an address that is assigned to me is mine to use and not to change', async () => {
    const listed = await oc.Me.ListAddresses({ filters: { ID: address.ID } });
    holds(listed, [{ ID: address.ID, Editable: false, Shipping: true, Billing: false }]);
    await refused(
      oc.Me.PatchAddress(address.ID, { City: 'No' }),
      [400, 403],
      'Address.CannotEditPublic',
    );
    await refused(oc.Me.DeleteAddress(address.ID), [400, 403], 'Address.CannotEditPublic');
    contains(await oc.Me.GetAddress(address.ID), { City: address.City });
  });

  await mine('a card that is assigned to me is mine to use and not to change', async () => {
    holds(await oc.Me.ListCreditCards({ filters: { ID: card.ID } }), [
      { ID: card.ID, Editable: false },
    ]);
    await refused(
      oc.Me.PatchCreditCard(card.ID, { Token: 'x' }),
      [400, 403],
      'CreditCard.CannotEditPublic',
    );
    contains(await oc.Me.GetCreditCard(card.ID), { Token: card.Token });
  });

  await mine('I see the cost centers and spending accounts that I was given', async () => {
    holds(await oc.Me.ListCostCenters(), [{ ID: center.ID, Name: 'Mine' }]);
    holds(await oc.Me.ListSpendingAccounts(), [{ ID: spending.ID, Balance: 10 }]);
    contains(await oc.Me.GetSpendingAccount(spending.ID), { ID: spending.ID, Name: 'Mine' });
    await missing(oc.Me.GetSpendingAccount(other.ID), other.ID);
  });

  await step('Me: what is my own nobody else sees', async () => {
    const admin = await world.tokenWith();
    const colleague = await world.user(buyer.ID);
    const theirs = await world.login(await world.client(), colleague, [
      'Shopper',
      'MeAddressAdmin',
    ]);
    const made = await world.as(token, () =>
      oc.Me.CreateAddress({ ...things.address.least(), Shipping: true }),
    );

    await world.as(admin, () => missing(sdk.Addresses.Get(buyer.ID, made.ID)));
    await world.as(theirs, () => missing(oc.Me.GetAddress(made.ID)));
    await world.as(theirs, () => missing(oc.Me.DeleteAddress(made.ID)));
    await world.as(token, () => oc.Me.GetAddress(made.ID));
  });

  await step('Me: who sells to my company', async () => {
    const [seller, stranger] = [await world.supplier(), await world.supplier()];
    await sdk.Suppliers.SaveBuyer(seller.ID, buyer.ID);
    const filters = { ID: `${seller.ID}|${stranger.ID}` };
    const listed = await world.as(token, () => oc.Me.ListBuyerSellers({ filters }));
    assert.deepEqual(ids(listed), [seller.ID]);
  });
}

async function promotions({ oc, sdk, step, world }, { buyer, group, token }) {
  const make = (fields) =>
    sdk.Promotions.Create({
      Code: own('code'),
      EligibleExpression: 'order.subtotal > 10',
      ValueExpression: '1',
      ...fields,
    });
  const open = await make({ AllowAllBuyers: true });
  const given = await make();
  const closed = await make();
  const idle = await make({ AllowAllBuyers: true, Active: false });
  await sdk.Promotions.SaveAssignment({
    PromotionID: given.ID,
    BuyerID: buyer.ID,
    UserGroupID: group.ID,
  });
  const all = [open, given, closed, idle].map((promotion) => promotion.ID);

  await step('Me: the promotions that I may use', async () => {
    await world.as(token, async () => {
      const page = await oc.Me.ListPromotions({ filters: { ID: all.join('|') } });
      holds(page, [{ ID: open.ID }, { ID: given.ID }]);
      contains(await oc.Me.GetPromotion(given.ID), { ID: given.ID, Code: given.Code });
      await missing(oc.Me.GetPromotion(closed.ID), closed.ID);
    });
  });
}

async function registering({ oc, step, world }, { buyer, user }) {
  const client = await world.client({ IsAnonBuyer: true, DefaultContextUserName: user.Username });

  await step('Me: an anonymous shopper becomes a user', async () => {
    const { access_token: anonUserToken } = await oc.Auth.Anonymous(client.ID, ['Shopper']);
    const { ID, ...body } = world.userBody();

    const registered = await world.as(anonUserToken, () => oc.Me.Register(body, { anonUserToken }));

    contains(claims(registered.access_token), { usr: body.Username, usrtype: 'buyer' });
    await world.as(registered.access_token, async () => {
      contains(await oc.Me.Get(), { Username: body.Username, CompanyID: buyer.ID });
    });
    await world.login(client, body, ['Shopper']);
    await world.as(anonUserToken, () =>
      refused(oc.Me.Register(body, { anonUserToken }), [400, 409], 'User.UsernameMustBeUnique'),
    );
  });

  await step('Me: who is somebody already does not register', async () => {
    const token = await world.login(client, user, ['Shopper']);
    await world.as(token, () => refused(oc.Me.Register(world.userBody()), [400, 403]));
  });
}
