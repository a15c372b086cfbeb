// What steps assert with.

import assert from 'node:assert/strict';
import { inspect } from 'node:util';

// The SDK's error, which must have this status and, where one is given, this error code.
export async function refused(call, status, code) {
  let answer;
  try {
    answer = await call;
  } catch (error) {
    if (!error.isOrderCloudError) throw error;
    const said = `it was refused with ${error.status} ${inspect(error.errors, { depth: 5 })}`;
    const wanted = [status].flat();
    assert.ok(wanted.includes(error.status), `${said}, not with ${wanted.join(' or ')}`);
    if (code !== undefined) assert.equal(error.errorCode, code, said);
    return error;
  }
  throw new assert.AssertionError({
    message: `it was answered ${inspect(answer, { depth: 4 })}, not refused with ${status}`,
  });
}

// 404 that names what there is none of.
export async function missing(call, id) {
  const error = await refused(call, 404, 'NotFound');
  const { ObjectType, ObjectID } = error.errors[0].Data;
  assert.match(ObjectType, /^[A-Z]\w+$/);
  if (id !== undefined) assert.equal(ObjectID, id);
  return error;
}

// 400 whose errors, together, name each of these fields. A rule over several fields may name them
// in one error.
export async function invalid(call, ...fields) {
  const error = await refused(call, 400);
  const text = JSON.stringify(error.errors);
  for (const field of fields) assert.ok(text.includes(field), `${field} is not named in ${text}`);
  return error;
}

const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d/;

// `answer` has all of `expected`, at any depth; more fields may be there, more items may not.
export function contains(answer, expected, path = 'the answer') {
  if (Array.isArray(expected)) {
    assert.equal(answer?.length, expected.length, `${path} is ${inspect(answer)}`);
    expected.forEach((item, at) => contains(answer[at], item, `${path}[${at}]`));
  } else if (expected !== null && typeof expected === 'object') {
    assert.ok(answer !== null && typeof answer === 'object', `${path} is ${inspect(answer)}`);
    for (const [field, value] of Object.entries(expected)) {
      contains(answer[field], value, `${path}.${field}`);
    }
  } else if (typeof expected === 'string' && TIME.test(expected)) {
    assert.equal(Date.parse(answer), Date.parse(expected), `${path} is ${inspect(answer)}`);
  } else {
    assert.deepEqual(answer, expected, path);
  }
}

// The page has exactly items that contain these, in any order.
export function holds(page, expected) {
  const left = [...page.Items];
  // What says the most first: what says less fits more.
  const fields = (item) => Object.keys(item).length;
  for (const item of [...expected].sort((a, b) => fields(b) - fields(a))) {
    const at = left.findIndex((candidate) => fits(candidate, item));
    assert.ok(at >= 0, `${inspect(item)} is not in ${inspect(page.Items, { depth: 3 })}`);
    left.splice(at, 1);
  }
  assert.deepEqual(left, [], 'items too many');
  assert.equal(page.Meta.TotalCount, expected.length);
}

function fits(candidate, expected) {
  try {
    contains(candidate, expected);
    return true;
  } catch {
    return false;
  }
}

export const ids = (page) => page.Items.map((item) => item.ID);

// As lists are sorted: without regard to case.
export const sorted = (words) =>
  [...words].sort(new Intl.Collator('en', { sensitivity: 'accent' }).compare);
