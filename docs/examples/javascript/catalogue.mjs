// A back office that sets up a shop with OrderCloud's own SDK, and a buyer's user who sees what it
// may order.
//
//   npm install ordercloud-javascript-sdk@12.0.0
//   API=http://127.0.0.1:8080 CLIENT_ID=ordermesh-admin CLIENT_SECRET=... node catalogue.mjs

import * as sdk from 'ordercloud-javascript-sdk';

const { API, CLIENT_ID, CLIENT_SECRET, RUN = String(Date.now()) } = process.env;

// This is all that tells Ordermesh from OrderCloud.
sdk.Configuration.Set({ baseApiUrl: API });

// The API client of the first start acts as an administrator with every role.
const admin = await sdk.Auth.ClientCredentials(CLIENT_SECRET, CLIENT_ID, ['FullAccess']);
sdk.Tokens.SetAccessToken(admin.access_token);

// Something to sell: a product with a price by quantity, in stock. Save creates or replaces, so
// that running it again changes nothing.
const product = `ash-${RUN}`;
await sdk.PriceSchedules.Save(product, {
  Name: 'Ash table',
  PriceBreaks: [
    { Quantity: 1, Price: 129.9 },
    { Quantity: 10, Price: 119.9 },
  ],
});
await sdk.Products.Save(product, {
  Name: 'Ash table',
  Active: true,
  DefaultPriceScheduleID: product,
  xp: { Wood: 'ash' },
  Inventory: { Enabled: true, QuantityAvailable: 50 },
});

// Somebody to sell it to. A new buyer gets a catalog with its ID.
const buyer = `initech-${RUN}`;
await sdk.Buyers.Save(buyer, { Name: 'Initech', Active: true });
await sdk.Catalogs.SaveProductAssignment({ CatalogID: buyer, ProductID: product });
await sdk.Catalogs.SaveAssignment({ CatalogID: buyer, BuyerID: buyer, ViewAllProducts: true });

// Who may do what: a profile with roles for all users of the buyer, and a client to log in with.
const profile = `shopper-${RUN}-js`;
await sdk.SecurityProfiles.Save(profile, { Name: 'Shopper', Roles: ['Shopper'] });
await sdk.SecurityProfiles.SaveAssignment({ SecurityProfileID: profile, BuyerID: buyer });
const password = 'correct horse battery';
await sdk.Users.Save(buyer, 'joan', {
  Username: `joan-${RUN}`,
  FirstName: 'Joan',
  LastName: 'Clarke',
  Email: 'joan@example.com',
  Active: true,
  Password: password,
});
const shop = await sdk.ApiClients.Create({
  AppName: 'Shop',
  AccessTokenDuration: 600,
  Active: true,
  AllowAnyBuyer: true,
});

// The user logs in and sees what its company may order, at its company's price.
const joan = await sdk.Auth.Login(`joan-${RUN}`, password, shop.ID, ['Shopper']);
sdk.Tokens.SetAccessToken(joan.access_token);
const page = await sdk.Me.ListProducts({ filters: { xp: { Wood: 'ash' } }, sortBy: ['Name'] });
for (const { Name, PriceSchedule, Inventory } of page.Items) {
  console.log(Name, PriceSchedule.PriceBreaks[0].Price, Inventory.QuantityAvailable);
}
