// What all assignments have in common: saved, listed by what they name, deleted.

import { contains, holds, missing } from './expect.mjs';

// `save`, `list` and `remove` are calls of the recorded SDK; `samples` are assignments that do not
// conflict, all of them `ours` to list; `queries` pairs list parameters with the numbers of the
// samples that they find; `dangling` is one that names what there is not; `changed`, where there is
// more than a link, replaces the first sample.
export async function assignments({ step }, plan) {
  const { title, save, list, remove, samples, ours, queries = [], changed, dangling } = plan;

  await step(`${title}: saving twice keeps one`, async () => {
    for (const sample of samples) await save(sample);
    await save(samples[0]);

    holds(await list(ours), samples);
  });
  await step(`${title}: lists are filtered by what is assigned to whom, and paged`, async () => {
    for (const [query, numbers] of queries) {
      holds(
        await list({ ...ours, ...query }),
        numbers.map((number) => samples[number]),
      );
    }
    const page = await list({ ...ours, page: 1, pageSize: 1 });
    contains(page.Meta, { Page: 1, PageSize: 1, TotalCount: samples.length });
  });
  if (changed) {
    await step(`${title}: saving again replaces`, async () => {
      await save(changed);
      holds(await list(ours), [changed, ...samples.slice(1)]);
      await save(samples[0]);
    });
  }
  if (dangling) {
    await step(`${title}: what is assigned and to whom must be there`, async () => {
      for (const [assignment, id] of dangling) await missing(save(assignment), id);
      holds(await list(ours), samples);
    });
  }
  await step(`${title}: what is deleted is no longer listed`, async () => {
    await remove(samples[0]);
    holds(await list(ours), samples.slice(1));
  });
}
