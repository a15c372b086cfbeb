// Bodies of things, and the plans of those that several resources share.

import { word } from './crud.mjs';
import { PASSWORD, own } from './world.mjs';

export const long = (length) => 'n'.repeat(length);

// A thing of a name and a description.
export const named = {
  least: () => ({ Name: 'Least' }),
  full: (n) => ({ Name: `Thing ${word(n)}`, Description: `Number ${n}` }),
  wrong: [{ Name: long(101), Description: long(2001) }, ['Name', 'Description']],
};

export const address = {
  least: () => ({ Street1: '1 Dock Street', City: 'Utrecht', Country: 'NL' }),
  full: (n) => ({
    CompanyName: 'Harbour',
    FirstName: 'Ada',
    LastName: 'Lovelace',
    Street1: `${n} Dock Street`,
    Street2: 'Second floor',
    City: 'Portland',
    State: 'ME',
    Zip: '04101',
    Country: 'US',
    Phone: '207 555 0100',
    AddressName: `Quay ${word(n)}`,
  }),
  change: { City: 'Bangor' },
  clears: 'Street2',
  wrong: [{ Country: 'Netherlands', City: long(101) }, ['Country', 'City']],
  mistyped: { City: { not: 'text' } },
  word: 'AddressName',
  sortBy: 'AddressName',
};

const withoutPassword = ({ Password, ...rest }) => rest;

export const user = {
  least: () => {
    const name = own('u');
    const Email = `${name}@example.com`;
    return { Username: name, FirstName: 'Ada', LastName: 'Lovelace', Email, Active: true };
  },
  full: (n) => {
    const name = own('u');
    return {
      Username: name,
      Password: PASSWORD,
      FirstName: 'Ada',
      LastName: `Lovelace ${word(n)}`,
      Email: `${name}@example.com`,
      Phone: '207 555 0100',
      TermsAccepted: '2024-05-06T07:08:09.123+00:00',
      Active: true,
    };
  },
  shown: withoutPassword,
  defaults: { FailedLoginAttempts: 0 },
  change: { FirstName: 'Grace' },
  clears: 'Phone',
  wrong: [{ FirstName: long(101), Email: long(201) }, ['FirstName', 'Email']],
  mistyped: { Active: 'maybe' },
  word: 'LastName',
  sortBy: 'LastName',
};
