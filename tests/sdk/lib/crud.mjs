// What all resources have in common, walked for one of them.
//
// A plan says what is particular:
//   resource   the SDK's resource: 'CostCenters'
//   under      IDs in the path before its own: [buyerID]
//   verbs      method names where they are not List, Create, Get, Save, Patch, Delete
//   least(n)   the smallest body that can be created; full(n) all that can be written, without xp
//   shown      what the answer shows of `full` where that is not all of it (a function of it)
//   defaults   what the answer of `least` has
//   change     a patch: fields of `full` with other values
//   clears     a field of `full` that null empties, or null
//   wrong      a body with several mistakes, each of one field, and these fields
//   mistyped   one field with a value of a wrong type
//   word       the field of `full` that `search` looks through; its value for n has `word(n)`
//   sortBy     a field, beside ID, that lists are sorted by
//   ids        'client' (the default) or 'server', where an ID that is sent is ignored
//   xp         false where the resource has none
//   roles      {read, write}: the role that reads, and the one that writes
//   token      whose token is used, where it is not the admin's

import assert from 'node:assert/strict';

import { lists } from './crud-lists.mjs';
import { roles } from './crud-roles.mjs';
import { contains, invalid, missing, refused } from './expect.mjs';
import { own } from './world.mjs';

export { word } from './crud-lists.mjs';

const AUTOMATIC_ID = /^[A-Za-z0-9_-]{22}$/;
const VERBS = ['List', 'Create', 'Get', 'Save', 'Patch', 'Delete'];

export async function crud(walk, plan) {
  const rest = new Crud(walk, {
    under: [],
    verbs: {},
    ids: 'client',
    xp: true,
    shown: (body) => body,
    defaults: {},
    unlisted: [], // what only a get shows
    clears: 'Description',
    change: { Name: 'Another name' },
    wrong: [{ ID: 'no id', Name: 'n'.repeat(101) }, ['ID', 'Name']],
    mistyped: { Name: { not: 'text' } },
    word: 'Name',
    sortBy: 'Name',
    ...plan,
  });
  await rest.creating();
  await lists(rest);
  await rest.changing();
  await rest.refusing();
  if (plan.roles) await roles(walk, rest);
  await rest.deleting();
}

class Crud {
  constructor(walk, plan) {
    this.walk = walk;
    this.plan = plan;
    this.title = plan.title ?? plan.resource;
    this.ownIDs = plan.ids === 'client';
    this.prefix = own('x');
    for (const verb of VERBS) {
      const method = plan.verbs[verb] ?? verb;
      this[verb.toLowerCase()] = (...args) =>
        walk.oc[plan.resource][method](...plan.under, ...args);
      const plain = walk.sdk[plan.resource];
      this[`plain${verb}`] = (...args) => plain[method](...plan.under, ...args);
    }
  }

  step(name, body) {
    const { walk, plan } = this;
    return walk.step(`${this.title}: ${name}`, () =>
      plan.token ? walk.world.as(plan.token, body) : body(),
    );
  }

  body(n, fields = {}) {
    const id = this.ownIDs ? { ID: `${this.prefix}-${n}` } : {};
    return { ...id, ...this.plan.full(n), ...fields };
  }

  // A thing to work on, made without taking note of it.
  made(n, fields) {
    return this.plainCreate(this.body(n, fields));
  }

  async creating() {
    const { plan } = this;
    await this.step('what is created is what was sent, and what is got', async () => {
      const body = this.body(90, plan.xp ? { xp: { Deep: { Down: [1, 'two', null] } } } : {});

      const created = await this.create(body);

      contains(created, plan.shown(body));
      contains(await this.get(created.ID), plan.shown(body));
    });
    await this.step('what is left out has its defaults, and an ID of 22 characters', async () => {
      const body = plan.least(91);

      const created = await this.create(body);

      contains(created, { ...plan.shown(body), ...plan.defaults });
      if (this.ownIDs) assert.match(created.ID, AUTOMATIC_ID);
      contains(await this.get(created.ID), created);
    });
    if (!this.ownIDs) return;
    await this.step('an ID that there is already is refused and changes nothing', async () => {
      const first = await this.create(this.body(92));

      await refused(this.create({ ...plan.least(93), ID: first.ID }), 409, 'IdExists');

      contains(await this.get(first.ID), first);
    });
  }

  async changing() {
    const { plan } = this;
    await this.step('a patch changes what it names and merges xp deeply', async () => {
      const xp = plan.xp ? { xp: { Keep: 1, Deep: { Keep: 2, Change: 3 } } } : {};
      const before = await this.made(80, xp);

      await this.patch(before.ID, {
        ...plan.change,
        ...(plan.xp ? { xp: { Deep: { Change: 4, Add: 5 }, Null: null } } : {}),
      });

      const after = await this.get(before.ID);
      const { xp: _, LastUpdated: __, ...rest } = before;
      contains(after, { ...rest, ...plan.change });
      if (plan.xp) {
        assert.deepEqual(after.xp, { Keep: 1, Deep: { Keep: 2, Change: 4, Add: 5 }, Null: null });
      }
    });
    if (plan.clears) {
      await this.step('a patch with null empties a field', async () => {
        const before = await this.made(81);
        assert.notEqual(before[plan.clears], null);

        await this.patch(before.ID, { [plan.clears]: null });

        assert.equal((await this.get(before.ID))[plan.clears], null);
      });
    }
    if (plan.renames === false) {
      await this.step('its ID stays, and a patch with another is refused', async () => {
        const before = await this.made(82);

        await refused(this.patch(before.ID, { ID: `${before.ID}-renamed` }), 400);

        contains(await this.get(before.ID), before);
      });
    }
    if (this.ownIDs && plan.renames !== false) {
      await this.step('a patch with another ID renames', async () => {
        const before = await this.made(82);
        const renamed = `${before.ID}-renamed`;

        await this.patch(before.ID, { ID: renamed });

        const { ID: _, LastUpdated: __, ...rest } = before;
        contains(await this.get(renamed), rest);
        await missing(this.get(before.ID), before.ID);
      });
      await this.step('a patch cannot take the ID of another', async () => {
        const [one, other] = [await this.made(83), await this.made(84)];

        await refused(this.patch(one.ID, { ID: other.ID }), 409, 'IdExists');

        contains(await this.get(other.ID), other);
        contains(await this.get(one.ID), one);
      });
    }
    if (this.ownIDs) {
      if (plan.puts !== false) {
        await this.step('a save creates what is not there', async () => {
          const [id, body] = [`${this.prefix}-put`, plan.least(85)];

          const saved = await this.save(id, body);

          contains(saved, { ID: id, ...plan.shown(body) });
          contains(await this.get(id), saved);
        });
      }
    }
    await this.step('a save replaces all of what is there, xp keys too', async () => {
      const before = await this.made(86, plan.xp ? { xp: { Gone: 1, Kept: 2 } } : {});
      const body = { ...plan.least(86), ...(plan.xp ? { xp: { Kept: 3 } } : {}) };

      const saved = await this.save(before.ID, body);

      contains(saved, plan.shown(body));
      if (plan.clears && !(plan.clears in body)) assert.equal(saved[plan.clears], null);
      if (plan.xp) assert.deepEqual(saved.xp, { Kept: 3 });
      contains(await this.get(before.ID), saved);
    });
  }

  async refusing() {
    const { plan } = this;
    const [wrong, fields] = plan.wrong;
    const count = async () => (await this.plainList({ pageSize: 1 })).Meta.TotalCount;
    await this.step('all that is wrong is told at once, and nothing is made', async () => {
      const before = await count();

      const { errors } = await invalid(this.create({ ...plan.least(70), ...wrong }), ...fields);

      assert.ok(errors.length >= fields.length, JSON.stringify(errors));
      assert.equal(await count(), before);
    });
    await this.step(
      'an unknown field and a wrong type are named, and nothing is made',
      async () => {
        const before = await count();

        await invalid(this.create({ ...plan.least(71), Nonsense: 1 }), 'Nonsense');
        await invalid(
          this.create({ ...plan.least(72), ...plan.mistyped }),
          ...Object.keys(plan.mistyped),
        );

        assert.equal(await count(), before);
      },
    );
    await this.step('a patch that is wrong changes nothing', async () => {
      const before = await this.made(73);

      await invalid(this.patch(before.ID, { ...plan.change, ...plan.mistyped }));

      contains(await this.get(before.ID), before);
    });
    await this.step('what is not there cannot be got, patched or deleted', async () => {
      await missing(this.get('no-such-id'), 'no-such-id');
      await missing(this.patch('no-such-id', plan.change), 'no-such-id');
      await missing(this.delete('no-such-id'), 'no-such-id');
    });
  }

  async deleting() {
    await this.step('what is deleted is gone', async () => {
      const thing = await this.made(60);

      await this.delete(thing.ID);

      await missing(this.get(thing.ID), thing.ID);
    });
  }

  prepare(body) {
    return this.plan.token ? this.walk.world.as(this.plan.token, body) : body();
  }
}
