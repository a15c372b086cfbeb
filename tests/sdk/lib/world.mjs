// What the scenarios stand on: tokens, and parties to be, made with the plain SDK.

import { randomBytes } from 'node:crypto';

import sdk from 'ordercloud-javascript-sdk';

// An ID of this walk's own, so that it can run again on the same data.
const RUN = randomBytes(4).toString('hex');
let count = 0;
export const own = (name) => `${name}-${RUN}-${(count += 1)}`;

export const PASSWORD = 'Correct-horse-7-battery';

export class World {
  #clientID;
  #secret;
  #tokens = new Map();

  constructor({ url, clientID, secret }) {
    this.url = url;
    this.#clientID = clientID;
    this.#secret = secret;
    sdk.Configuration.Set({ baseApiUrl: url, timeoutInMilliseconds: 30_000 });
  }

  get adminClient() {
    return { clientID: this.#clientID, secret: this.#secret };
  }

  // A token of the first client's seller with just these roles; all of them without any.
  async tokenWith(...roles) {
    const key = roles.join();
    if (!this.#tokens.has(key)) {
      const scope = roles.length > 0 ? roles : undefined;
      const token = await sdk.Auth.ClientCredentials(this.#secret, this.#clientID, scope);
      this.#tokens.set(key, token.access_token);
    }
    return this.#tokens.get(key);
  }

  // Runs `body` with a token; no token at all for null. The one before comes back after it.
  async as(token, body) {
    const before = sdk.Tokens.GetAccessToken();
    sdk.Tokens.RemoveAccessToken();
    if (token !== null) sdk.Tokens.SetAccessToken(token);
    try {
      return await body();
    } finally {
      sdk.Tokens.RemoveAccessToken();
      if (before) sdk.Tokens.SetAccessToken(before);
    }
  }

  async logIn() {
    sdk.Tokens.SetAccessToken(await this.tokenWith());
  }

  // A buyer (with the catalog that comes with it) that is active.
  buyer(fields = {}) {
    return sdk.Buyers.Create({ ID: own('buyer'), Name: 'A buyer', Active: true, ...fields });
  }

  supplier(fields = {}) {
    return sdk.Suppliers.Create({
      ID: own('supplier'),
      Name: 'A supplier',
      Active: true,
      ...fields,
    });
  }

  userBody(fields = {}) {
    const name = own('user');
    return {
      ID: name,
      Username: name,
      Password: PASSWORD,
      FirstName: 'Ada',
      LastName: 'Lovelace',
      Email: `${name}@example.com`,
      Active: true,
      ...fields,
    };
  }

  user(buyerID, fields = {}) {
    return sdk.Users.Create(buyerID, this.userBody(fields));
  }

  group(buyerID, fields = {}) {
    return sdk.UserGroups.Create(buyerID, { ID: own('group'), Name: 'A group', ...fields });
  }

  client(fields = {}) {
    return sdk.ApiClients.Create({
      AppName: own('app'),
      Active: true,
      AccessTokenDuration: 60,
      RefreshTokenDuration: 120,
      AllowAnyBuyer: true,
      AllowAnySupplier: true,
      AllowSeller: true,
      ...fields,
    });
  }

  // A security profile with these roles, assigned to a party ({BuyerID}, {BuyerID, UserID}, ...).
  async grant(party, roles, fields = {}) {
    const profile = await sdk.SecurityProfiles.Create({
      ID: own('profile'),
      Name: 'A profile',
      Roles: roles,
      ...fields,
    });
    await sdk.SecurityProfiles.SaveAssignment({ SecurityProfileID: profile.ID, ...party });
    return profile;
  }

  async login(client, user, roles, password = PASSWORD) {
    const token = await sdk.Auth.Login(user.Username, password, client.ID, roles);
    return token.access_token;
  }

  // A buyer with a user, a group that the user is in, a client, and a token with these roles.
  async shopper(roles = ['Shopper'], fields = {}) {
    const buyer = await this.buyer(fields);
    const user = await this.user(buyer.ID);
    const group = await this.group(buyer.ID);
    await sdk.UserGroups.SaveUserAssignment(buyer.ID, { UserGroupID: group.ID, UserID: user.ID });
    await this.grant({ BuyerID: buyer.ID }, roles);
    const client = await this.client();
    return { buyer, user, group, client, token: await this.login(client, user, roles) };
  }
}

export const claims = (token) =>
  JSON.parse(Buffer.from(token.split('.')[1], 'base64url').toString('utf8'));

// What `role` may be: one word or several.
export const rolesOf = (token) => [claims(token).role ?? []].flat().sort();
