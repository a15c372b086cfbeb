// Walks every operation in scope with OrderCloud's unmodified SDK.
//
//   node walk.mjs [SCENARIO...]        all of them without one; `node walk.mjs --list` names them
//
// ORDERMESH_URL, ORDERMESH_ADMIN_CLIENT_ID and ORDERMESH_ADMIN_CLIENT_SECRET say where and as whom;
// WALK_MAIL_PORT is the port of the mail server that the deployment sends through (none: 0).

import { readFileSync, readdirSync } from 'node:fs';

import sdk from 'ordercloud-javascript-sdk';

import { Ledger } from './lib/ledger.mjs';
import { MailBox } from './lib/mail.mjs';
import { recorded } from './lib/recorder.mjs';
import { methods } from './lib/shapes.mjs';
import { World } from './lib/world.mjs';

const here = (path) => new URL(path, import.meta.url);
const scope = JSON.parse(readFileSync(here('operations.json'), 'utf8'));
const operations = Object.entries(scope.inScope).flatMap(([resource, statuses]) =>
  Object.keys(statuses).map((method) => `${resource}.${method}`),
);

// Every method of a resource in scope is in scope, or said to be left out.
function checkScope() {
  const unsaid = [];
  for (const [resource, statuses] of Object.entries(scope.inScope)) {
    const said = new Set([...Object.keys(statuses), ...(scope.leftOut[resource] ?? [])]);
    const there = new Set(methods(resource).keys());
    for (const method of there) if (!said.has(method)) unsaid.push(`${resource}.${method}`);
    for (const method of said) if (!there.has(method)) unsaid.push(`${resource}.${method}`);
  }
  if (unsaid.length > 0) {
    throw new Error(`operations.json and the SDK do not agree about ${unsaid.join(', ')}`);
  }
}

function setting(name) {
  const value = process.env[name];
  if (!value) throw new Error(`set ${name}`);
  return value;
}

async function scenarios(asked) {
  const all = readdirSync(here('scenarios'))
    .filter((file) => file.endsWith('.mjs'))
    .map((file) => file.slice(0, -4))
    .sort();
  if (asked.includes('--list')) {
    console.log(all.join('\n'));
    process.exit(0);
  }
  for (const name of asked) {
    if (!all.includes(name)) throw new Error(`there is no scenario ${name}: ${all.join(', ')}`);
  }
  return asked.length > 0 ? asked : all;
}

async function walk(names) {
  const ledger = new Ledger();
  const mails = new MailBox();
  await mails.listen(Number(process.env.WALK_MAIL_PORT ?? 0));
  const world = new World({
    url: setting('ORDERMESH_URL'),
    clientID: setting('ORDERMESH_ADMIN_CLIENT_ID'),
    secret: setting('ORDERMESH_ADMIN_CLIENT_SECRET'),
  });
  const step = async (name, body) => {
    const passed = await ledger.step(name, body);
    if (!passed) console.log(`  FAILED ${name}\n${indented(ledger.failures.at(-1).error)}`);
    return passed;
  };
  const context = { oc: recorded(scope.inScope, ledger), sdk, step, world, mails };
  for (const name of names) {
    console.log(name);
    try {
      await world.logIn();
      const { default: scenario } = await import(here(`scenarios/${name}.mjs`));
      await scenario(context);
    } catch (error) {
      ledger.broke(name, error);
      console.log(`  BROKE OFF ${name}\n${indented(error)}`);
    }
  }
  mails.close();
  return ledger;
}

function indented(error) {
  const said = error.isOrderCloudError
    ? `${error.request?.method ?? ''} ${error.request?.path ?? ''} was refused with ` +
      `${error.status} ${JSON.stringify(error.errors ?? error.message)}\n`
    : '';
  const at = (error.stack ?? '').split('\n').filter((line) => /scenarios|lib\//.test(line));
  return `${said || `${error.message}\n`}${at.join('\n')}`.replace(/^/gm, '    ');
}

function summary(ledger, whole) {
  const { charged, untouched, behaving, exercised } = ledger.report(operations);
  if (charged.length > 0) {
    console.log('\nOperations of steps that failed:');
    for (const [operation, steps] of charged) console.log(`  ${operation}: ${steps.join('; ')}`);
  }
  if (whole && untouched.length > 0) {
    console.log(`\nNever answered as they should: ${untouched.join(', ')}`);
  }
  const failed = ledger.failures.length;
  console.log(`\nSteps: ${ledger.passed} passed, ${failed} failed`);
  console.log(
    whole
      ? `Operations that behave / operations in scope: ${behaving} / ${operations.length}`
      : `Operations that behave / operations called: ${behaving} / ${exercised}`,
  );
  return failed === 0 && (!whole || behaving === operations.length);
}

checkScope();
const asked = process.argv.slice(2);
const names = await scenarios(asked);
const ledger = await walk(names);
process.exit(summary(ledger, asked.length === 0) ? 0 : 1);
