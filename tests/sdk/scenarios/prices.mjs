// Price schedules and promotions.

import assert from 'node:assert/strict';

import { assignments } from '../lib/assignments.mjs';
import { crud, word } from '../lib/crud.mjs';
import { contains, refused } from '../lib/expect.mjs';
import * as things from '../lib/things.mjs';
import { own } from '../lib/world.mjs';

export default async function prices(walk) {
  await crud(walk, {
    resource: 'PriceSchedules',
    least: () => ({ Name: 'Least', PriceBreaks: [{ Quantity: 1, Price: 1 }] }),
    full: (n) => ({
      Name: `Prices ${word(n)}`,
      ApplyTax: true,
      ApplyShipping: true,
      MinQuantity: 2,
      MaxQuantity: 200,
      UseCumulativeQuantity: true,
      RestrictedQuantity: false,
      PriceBreaks: [
        { Quantity: 1, Price: 10.25, SalePrice: 9.5, SubscriptionPrice: 9, BundlePrice: 8 },
        { Quantity: 10, Price: 9.75, SalePrice: null, SubscriptionPrice: null, BundlePrice: null },
      ],
      Currency: 'USD',
      SaleStart: '2024-01-02T00:00:00+00:00',
      SaleEnd: '2044-01-02T00:00:00+00:00',
    }),
    defaults: { MinQuantity: 1, IsOnSale: false, Currency: null },
    clears: 'MaxQuantity',
    wrong: [{ Name: things.long(101), PriceBreaks: [{ Price: 'free' }] }, ['Name', 'Price']],
    mistyped: { PriceBreaks: 7 },
    roles: { read: 'PriceScheduleReader', write: 'PriceScheduleAdmin' },
  });
  await breaks(walk);
  await promotions(walk);
}

async function breaks({ oc, sdk, step }) {
  const make = (fields = {}) =>
    sdk.PriceSchedules.Create({
      Name: 'Breaks',
      PriceBreaks: [{ Quantity: 1, Price: 10 }],
      ...fields,
    });
  const told = (schedule) => schedule.PriceBreaks.map(({ Quantity, Price }) => [Quantity, Price]);

  await step('a price break is added, replaced and deleted by its quantity', async () => {
    const { ID } = await make();

    await oc.PriceSchedules.SavePriceBreak(ID, { Quantity: 100, Price: 7 });
    await oc.PriceSchedules.SavePriceBreak(ID, { Quantity: 10, Price: 9 });
    const saved = await oc.PriceSchedules.SavePriceBreak(ID, { Quantity: 10, Price: 8.5 });

    assert.deepEqual(told(saved), [
      [1, 10],
      [10, 8.5],
      [100, 7],
    ]);
    await oc.PriceSchedules.DeletePriceBreak(ID, { quantity: 10 });
    assert.deepEqual(told(await oc.PriceSchedules.Get(ID)), [
      [1, 10],
      [100, 7],
    ]);
    await refused(
      oc.PriceSchedules.DeletePriceBreak(ID, { quantity: 10 }),
      [400, 404],
      'PriceSchedule.QtyNotFound',
    );
  });

  await step('a schedule’s quantities agree', async () => {
    const create = (fields) => oc.PriceSchedules.Create({ Name: 'Wrong', ...fields });
    const price = { Quantity: 1, Price: 10 };
    await refused(
      create({ MinQuantity: 5, MaxQuantity: 4, PriceBreaks: [price] }),
      400,
      'PriceSchedule.MinGreaterThanMax',
    );
    await refused(
      create({ PriceBreaks: [price, { Quantity: 1, Price: 9 }] }),
      400,
      'PriceSchedule.DuplicatePriceBreaks',
    );
    await refused(
      create({ MinQuantity: 0, PriceBreaks: [price] }),
      400,
      'PriceSchedule.MinQtyMustBePositive',
    );
  });

  await step('a schedule is on sale while a sale price holds', async () => {
    const PriceBreaks = [{ Quantity: 1, Price: 10, SalePrice: 8 }];
    const [past, future] = ['2001-01-01T00:00:00Z', '2041-01-01T00:00:00Z'];
    const create = (fields) => oc.PriceSchedules.Create({ Name: 'Sale', PriceBreaks, ...fields });
    const onSale = async (fields) => (await create(fields)).IsOnSale;

    assert.equal(await onSale({ SaleStart: past, SaleEnd: future }), true);
    assert.equal(await onSale({ SaleStart: past }), true);
    assert.equal(await onSale({ SaleStart: future }), false);
    assert.equal(await onSale({ SaleEnd: past }), false);
    assert.equal(
      await onSale({ SaleStart: past, PriceBreaks: [{ Quantity: 1, Price: 10 }] }),
      false,
    );
    await refused(
      create({ SaleStart: future, SaleEnd: past }),
      400,
      'PriceSchedule.InvalidSaleStartOrSaleEnd',
    );
  });
}

async function promotions(walk) {
  const { oc, sdk, step, world } = walk;
  const body = (fields = {}) => ({
    Code: own('code'),
    EligibleExpression: 'order.subtotal > 10',
    ValueExpression: 'order.subtotal * .1',
    ...fields,
  });
  await crud(walk, {
    resource: 'Promotions',
    least: () => body(),
    full: (n) => ({
      ...body({ EligibleExpression: "item.ProductID = 'crane'", ValueExpression: '5' }),
      LineItemLevel: true,
      Name: `Promotion ${word(n)}`,
      RedemptionLimit: 1000,
      RedemptionLimitPerUser: 2,
      ItemLimitPerOrder: 3,
      ItemSortBy: '!UnitPrice',
      Description: 'Ten percent',
      FinePrint: 'While stocks last',
      StartDate: '2024-01-02T00:00:00+00:00',
      ExpirationDate: '2044-01-02T00:00:00+00:00',
      CanCombine: true,
      AllowAllBuyers: true,
      AutoApply: true,
      Active: false,
      Priority: 7,
    }),
    defaults: { Active: true, AutoApply: false, RedemptionCount: 0, LineItemLevel: false },
    wrong: [{ Name: things.long(101), RedemptionLimit: 'many' }, ['Name', 'RedemptionLimit']],
    mistyped: { RedemptionLimit: 'many' },
    roles: { read: 'PromotionReader', write: 'PromotionAdmin' },
  });

  await step('a code is of one promotion only', async () => {
    const first = await sdk.Promotions.Create(body());
    const second = await sdk.Promotions.Create(body());
    const code = 'Promotion.CodeInUse';

    await refused(oc.Promotions.Create(body({ Code: first.Code })), [400, 409], code);
    await refused(oc.Promotions.Patch(second.ID, { Code: first.Code }), [400, 409], code);

    contains(await oc.Promotions.Get(second.ID), second);
  });

  await step('expressions are read when they are saved', async () => {
    const create = (fields) => oc.Promotions.Create(body(fields));
    await refused(create({ EligibleExpression: 'order.total >' }), 400, 'Expression.InvalidSyntax');
    await refused(create({ ValueExpression: 'nothing(1)' }), 400, 'Expression.InvalidFunction');
    await refused(
      create({ EligibleExpression: 'item.Quantity > 1' }),
      400,
      'Expression.ItemNotAllowed',
    );
    await refused(create({ LineItemLevel: true }), 400, 'Expression.ItemRequired');
    await refused(
      create({ StartDate: '2031-01-01T00:00:00Z', ExpirationDate: '2030-01-01T00:00:00Z' }),
      400,
      'Promotion.ExpirationPrecedsStart',
    );
  });

  const promotion = await sdk.Promotions.Create(body());
  const buyer = await world.buyer();
  const group = await world.group(buyer.ID);
  const toBuyer = { PromotionID: promotion.ID, BuyerID: buyer.ID };
  await assignments(walk, {
    title: 'Promotions',
    save: (sample) => oc.Promotions.SaveAssignment(sample),
    list: (query) => oc.Promotions.ListAssignments(query),
    remove: ({ BuyerID, UserGroupID }) =>
      oc.Promotions.DeleteAssignment(promotion.ID, { buyerID: BuyerID, userGroupID: UserGroupID }),
    samples: [{ ...toBuyer, UserGroupID: group.ID }, toBuyer],
    ours: { promotionID: promotion.ID },
    queries: [
      [{ buyerID: buyer.ID }, [0, 1]],
      [{ userGroupID: group.ID, buyerID: buyer.ID }, [0]],
      [{ level: 'Group' }, [0]],
      [{ level: 'Company' }, [1]],
    ],
    dangling: [
      [{ ...toBuyer, PromotionID: 'no-such-promotion' }, 'no-such-promotion'],
      [{ ...toBuyer, BuyerID: 'no-such-buyer' }, 'no-such-buyer'],
    ],
  });
  await step('a promotion that is deleted is assigned to nobody', async () => {
    await oc.Promotions.Delete(promotion.ID);
    contains((await oc.Promotions.ListAssignments({ promotionID: promotion.ID })).Items, []);
  });
}
