// The answers that the SDK promises: read from its own declarations.
//
// Every method's declared result (`RequiredDeep<ListPage<Buyer>>`) is held against what came: all
// declared fields and no others but our own, null where there is nothing, each of its declared type. A field
// that is too many would be something leaked.

import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

const DIST = dirname(createRequire(import.meta.url).resolve('ordercloud-javascript-sdk'));

// Declared for writing only.
const NEVER_SHOWN = new Set(['User.Password', 'MeUser.Password', 'ApiClient.ClientSecret']);
// Whose goods a buyer sees is told through the sellers; the owner itself need not be shown.
const MAY_BE_MISSING_ON_ME = 'OwnerID';

// Ordermesh's own fields, which docs/http.md lists; a client of OrderCloud passes over them.
const OWN = new Set([
  ...['Address', 'BuyerAddress'].flatMap((name) => [`${name}.Latitude`, `${name}.Longitude`]),
  'Buyer.Currency',
  'ApprovalRule.Active',
  'ApprovalRule.OrderTotalAbove',
  'Product.Taxable',
  ...['DiscountType', 'Value', 'MinimumSubtotal', 'ProductIDs', 'BuyerIDs'].map(
    (field) => `Promotion.${field}`,
  ),
]);

const COMMENTS = /\/\*[\s\S]*?\*\//g;
const read = (path) => readFileSync(join(DIST, path), 'utf8').replace(COMMENTS, '');

const models = new Map();

function model(name) {
  if (!models.has(name)) {
    const text = read(`models/${name}.d.ts`);
    const fields = text.match(/export interface [^{]*\{([\s\S]*)\}/)?.[1];
    // What is no interface is a union of strings.
    models.set(
      name,
      fields === undefined
        ? null
        : new Map(
            [...fields.matchAll(/^\s*(?:readonly )?(\w+)\??: (.*);$/gm)].map((field) => [
              field[1],
              field[2],
            ]),
          ),
    );
  }
  return models.get(name);
}

// The methods of a resource by name, with the type that each promises.
export function methods(resource) {
  const text = read(`api/${resource}.d.ts`);
  const found = text.matchAll(
    /^ {4}([A-Z]\w*)(?:<([^>]*)>)?\([\s\S]*?\): (?:Promise<(.*)>|this);$/gm,
  );
  const results = new Map();
  for (const [, name, generics = '', result] of found) {
    if (result === undefined) continue; // As() returns the resource itself
    let type = result.replace(/^RequiredDeep<(.*)>$/, '$1');
    for (const [, own, base] of generics.matchAll(/(\w+) extends (\w+)/g)) {
      type = type.replace(own, base);
    }
    results.set(name, type);
  }
  return results;
}

// What is wrong with `answer` as a `type`: a list of sentences.
export function differences(type, answer, { onMe = false } = {}) {
  if (type === 'void') {
    return answer === '' || answer == null ? [] : ['there should be no body'];
  }
  const wrong = [];
  compare(type, answer, '', wrong, onMe);
  return wrong;
}

function compare(type, value, path, wrong, onMe) {
  if (value === null || /^(any|T\w+Xp)$/.test(type)) return;
  if (type.endsWith('[]')) {
    if (!Array.isArray(value)) return void wrong.push(`${path} is no array`);
    value.forEach((item, at) => compare(type.slice(0, -2), item, `${path}[${at}]`, wrong, onMe));
    return;
  }
  if (['string', 'number', 'boolean'].includes(type)) {
    if (typeof value !== type) wrong.push(`${path} is ${typeof value}, not ${type}`);
    return;
  }
  const [, name, inner] = type.match(/^(\w+)(?:<(.*)>)?$/);
  const fields = model(name);
  if (fields === null) return compare('string', value, path, wrong, onMe);
  if (typeof value !== 'object' || Array.isArray(value)) {
    return void wrong.push(`${path || name} is no object`);
  }
  for (const [field, declared] of fields) {
    const at = path ? `${path}.${field}` : field;
    if (NEVER_SHOWN.has(`${name}.${field}`)) {
      if (value[field] != null) wrong.push(`${at} is shown and should never be`);
    } else if (!(field in value)) {
      if (!(onMe && field === MAY_BE_MISSING_ON_ME)) wrong.push(`${at} is missing`);
    } else {
      compare(declared.replace('TItem', inner), value[field], at, wrong, onMe);
    }
  }
  for (const field of Object.keys(value)) {
    if (fields.has(field) || OWN.has(`${name}.${field}`)) continue;
    wrong.push(`${path ? `${path}.` : ''}${field} is not ${name}'s`);
  }
}
