// Of every resource: which roles suffice, and which do not.

import { refused } from './expect.mjs';

export async function roles({ world }, rest) {
  const { plan } = rest;
  const code = 'Auth.InsufficientRoles';
  const stranger = plan.resource === 'Locales' ? 'IncrementorReader' : 'LocaleReader';
  const prepared = await rest.plainCreate(rest.body(50));
  const withRole = async (role, body) => world.as(await world.tokenWith(role), body);

  await rest.step('another role than its own may do nothing', async () => {
    await withRole(stranger, async () => {
      await refused(rest.list(), 403, code);
      await refused(rest.get(prepared.ID), 403, code);
      await refused(rest.create(plan.least(51)), 403, code);
      await refused(rest.save(prepared.ID, plan.least(50)), 403, code);
      await refused(rest.patch(prepared.ID, plan.change), 403, code);
      await refused(rest.delete(prepared.ID), 403, code);
    });
    await rest.get(prepared.ID);
  });
  if (plan.roles.read) {
    await rest.step(`${plan.roles.read} reads and does not write`, async () => {
      await withRole(plan.roles.read, async () => {
        await rest.list();
        await rest.get(prepared.ID);
        await refused(rest.create(plan.least(52)), 403, code);
        await refused(rest.save(prepared.ID, plan.least(50)), 403, code);
        await refused(rest.patch(prepared.ID, plan.change), 403, code);
        await refused(rest.delete(prepared.ID), 403, code);
      });
    });
  }
  if (plan.roles.write) {
    await rest.step(`${plan.roles.write} writes`, async () => {
      await withRole(plan.roles.write, async () => {
        const made = await rest.create(plan.least(53));
        await rest.patch(made.ID, plan.change);
        await rest.delete(made.ID);
      });
    });
  }
  await rest.step('without a token nothing is answered', async () => {
    await world.as(null, async () => {
      await refused(rest.list(), 401);
      await refused(rest.get(prepared.ID), 401);
      await refused(rest.create(plan.least(54)), 401);
      await refused(rest.delete(prepared.ID), 401);
    });
  });
}
