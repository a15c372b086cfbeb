#!/bin/sh
# A back office that sets up a shop over HTTP, and a buyer's user who sees what it may order.
# Needs curl and jq.
#
#   API=http://127.0.0.1:8080 CLIENT_ID=ordermesh-admin CLIENT_SECRET=... ./catalogue.sh
set -eu

RUN=${RUN:-$(date +%s)}
JSON='Content-Type: application/json'

# The API client of the first start acts as an administrator with every role.
ADMIN=$(curl -sf "$API/oauth/token" -d grant_type=client_credentials \
  -d "client_id=$CLIENT_ID" --data-urlencode "client_secret=$CLIENT_SECRET" | jq -r .access_token)

call() { # METHOD PATH BODY
  curl -sf -X "$1" "$API/v1$2" -H "Authorization: Bearer $ADMIN" -H "$JSON" -d "$3"
}

# Something to sell: a product with a price by quantity, in stock. PUT creates or replaces, so that
# running it again changes nothing.
call PUT "/priceschedules/oak-$RUN" '{"Name": "Oak table", "PriceBreaks":
  [{"Quantity": 1, "Price": 129.90}, {"Quantity": 10, "Price": 119.90}]}' >/dev/null
call PUT "/products/oak-$RUN" '{"Name": "Oak table", "Active": true,
  "DefaultPriceScheduleID": "oak-'"$RUN"'", "xp": {"Wood": "oak"},
  "Inventory": {"Enabled": true, "QuantityAvailable": 50}}' >/dev/null

# Somebody to sell it to. A new buyer gets a catalog with its ID.
call PUT "/buyers/acme-$RUN" '{"Name": "Acme", "Active": true}' >/dev/null
call POST /catalogs/productassignments '{"CatalogID": "acme-'"$RUN"'",
  "ProductID": "oak-'"$RUN"'"}' >/dev/null
call POST /catalogs/assignments '{"CatalogID": "acme-'"$RUN"'", "BuyerID": "acme-'"$RUN"'",
  "ViewAllProducts": true}' >/dev/null

# Who may do what: a profile with roles for all users of the buyer, and a client to log in with.
call PUT "/securityprofiles/shopper-$RUN" '{"Name": "Shopper", "Roles": ["Shopper"]}' >/dev/null
call POST /securityprofiles/assignments '{"SecurityProfileID": "shopper-'"$RUN"'",
  "BuyerID": "acme-'"$RUN"'"}' >/dev/null
call PUT "/buyers/acme-$RUN/users/ada" '{"Username": "ada-'"$RUN"'", "FirstName": "Ada",
  "LastName": "Byron", "Email": "ada@example.com", "Active": true,
  "Password": "correct horse battery"}' >/dev/null
SHOP=$(call POST /apiclients '{"AppName": "Shop", "AccessTokenDuration": 600, "Active": true,
  "AllowAnyBuyer": true}' | jq -r .ID)

# The user logs in and sees what its company may order, at its company's price.
ADA=$(curl -sf "$API/oauth/token" -d grant_type=password -d "client_id=$SHOP" \
  -d "username=ada-$RUN" --data-urlencode 'password=correct horse battery' -d scope=Shopper |
  jq -r .access_token)
curl -sf "$API/v1/me/products?xp.Wood=oak&sortBy=Name" -H "Authorization: Bearer $ADA" |
  jq -c '.Items[] | [.Name, .PriceSchedule.PriceBreaks[0].Price, .Inventory.QuantityAvailable]'
