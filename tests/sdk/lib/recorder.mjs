// The SDK as the walk calls it: unmodified, with a note taken of each call.
//
// Beside what a step asserts, every answer has to have the status of the contract, the shape that
// the SDK declares and, where it is a page of a list, a Meta that fits its items; every refusal has
// to arrive as the SDK's own error.

import assert from 'node:assert/strict';
import { subscribe } from 'node:diagnostics_channel';
import { inspect } from 'node:util';

import sdk from 'ordercloud-javascript-sdk';

import { differences, methods } from './shapes.mjs';

let lastStatus = null;
// The SDK hides the status of an answer that went well. Calls are made one after the other.
subscribe('http.client.response.finish', ({ response }) => {
  lastStatus = response.statusCode;
});

export const lastAnsweredStatus = () => lastStatus;

export function recorded(scope, ledger) {
  return Object.fromEntries(
    Object.entries(scope).map(([resource, statuses]) => [
      resource,
      recordedResource(resource, statuses, ledger),
    ]),
  );
}

function recordedResource(resource, statuses, ledger) {
  const results = methods(resource);
  const own = {
    As() {
      sdk[resource].As();
      return own;
    },
  };
  for (const [method, status] of Object.entries(statuses)) {
    const operation = `${resource}.${method}`;
    own[method] = async (...args) => {
      ledger.called(operation);
      const answer = await called(operation, () => sdk[resource][method](...args));
      assert.equal(lastStatus, status, `${operation} answered ${lastStatus}, not ${status}`);
      const wrong = differences(results.get(method), answer, { onMe: resource === 'Me' });
      assert.deepEqual(wrong, [], `${operation} answered ${inspect(answer, { depth: 4 })}`);
      if (results.get(method).startsWith('ListPage')) pageFits(operation, answer);
      ledger.answered(operation);
      return answer;
    };
  }
  return own;
}

async function called(operation, call) {
  try {
    return await call();
  } catch (error) {
    if (error.isOrderCloudError) throw error;
    throw new assert.AssertionError({
      message: `${operation}: the SDK itself broke: ${error.stack}`,
    });
  }
}

function pageFits(operation, { Meta, Items }) {
  const { Page, PageSize, TotalCount, TotalPages, ItemRange } = Meta;
  const says = `${operation} says ${inspect(Meta)} of ${Items.length} items`;
  assert.equal(ItemRange.length, 2, says);
  assert.ok(Items.length <= PageSize && Items.length <= TotalCount, says);
  // One-based; an empty page has no range worth checking.
  if (Items.length > 0) {
    const first = (Page - 1) * PageSize + 1;
    assert.deepEqual(ItemRange, [first, first + Items.length - 1], says);
    assert.equal(TotalPages, Math.ceil(TotalCount / PageSize), says);
  }
}
