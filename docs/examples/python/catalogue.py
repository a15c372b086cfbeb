"""A back office that sets up a shop over HTTP, and a buyer's user who sees what it may order.

pip install httpx
API=http://127.0.0.1:8080 CLIENT_ID=ordermesh-admin CLIENT_SECRET=... python catalogue.py
"""

import os
import time

import httpx

RUN = os.environ.get("RUN", str(int(time.time())))


def token(api: httpx.Client, **form: str) -> dict[str, str]:
    """The header of a new access token."""
    answer = api.post("/oauth/token", data=form)
    answer.raise_for_status()
    return {"Authorization": f"Bearer {answer.json()['access_token']}"}


def main() -> None:
    with httpx.Client(base_url=os.environ["API"]) as api:
        # The API client of the first start acts as an administrator with every role.
        admin = token(
            api,
            grant_type="client_credentials",
            client_id=os.environ["CLIENT_ID"],
            client_secret=os.environ["CLIENT_SECRET"],
        )

        def call(method: str, path: str, body: object) -> httpx.Response:
            answer = api.request(method, f"/v1{path}", json=body, headers=admin)
            if answer.is_error:
                # Every reason is told, with a code to branch on and what to do.
                for error in answer.json()["Errors"]:
                    print(error["ErrorCode"], error["Message"], error["Data"])
            answer.raise_for_status()
            return answer

        # Something to sell: a product with a price by quantity, in stock. PUT creates or
        # replaces, so that running it again changes nothing.
        breaks = [{"Quantity": 1, "Price": 129.90}, {"Quantity": 10, "Price": 119.90}]
        call("PUT", f"/priceschedules/elm-{RUN}", {"Name": "Elm table", "PriceBreaks": breaks})
        call(
            "PUT",
            f"/products/elm-{RUN}",
            {
                "Name": "Elm table",
                "Active": True,
                "DefaultPriceScheduleID": f"elm-{RUN}",
                "xp": {"Wood": "elm"},
                "Inventory": {"Enabled": True, "QuantityAvailable": 50},
            },
        )

        # Somebody to sell it to. A new buyer gets a catalog with its ID.
        buyer = f"umbrella-{RUN}"
        call("PUT", f"/buyers/{buyer}", {"Name": "Umbrella", "Active": True})
        call(
            "POST",
            "/catalogs/productassignments",
            {"CatalogID": buyer, "ProductID": f"elm-{RUN}"},
        )
        call(
            "POST",
            "/catalogs/assignments",
            {"CatalogID": buyer, "BuyerID": buyer, "ViewAllProducts": True},
        )

        # Who may do what: a profile with roles for all users of the buyer, and a client to log
        # in with.
        profile = f"shopper-{RUN}-py"
        call("PUT", f"/securityprofiles/{profile}", {"Name": "Shopper", "Roles": ["Shopper"]})
        call(
            "POST",
            "/securityprofiles/assignments",
            {"SecurityProfileID": profile, "BuyerID": buyer},
        )
        user = {
            "Username": f"grace-{RUN}",
            "FirstName": "Grace",
            "LastName": "Hopper",
            "Email": "grace@example.com",
            "Active": True,
            "Password": "correct horse battery",
        }
        call("PUT", f"/buyers/{buyer}/users/grace", user)
        client = {
            "AppName": "Shop",
            "AccessTokenDuration": 600,
            "Active": True,
            "AllowAnyBuyer": True,
        }
        shop = call("POST", "/apiclients", client).json()["ID"]

        # The user logs in and sees what its company may order, at its company's price.
        grace = token(
            api,
            grant_type="password",
            client_id=shop,
            username=user["Username"],
            password=user["Password"],
            scope="Shopper",
        )
        page = api.get("/v1/me/products", params={"xp.Wood": "elm"}, headers=grace).json()
        for product in page["Items"]:
            price = product["PriceSchedule"]["PriceBreaks"][0]["Price"]
            print(product["Name"], price, product["Inventory"]["QuantityAvailable"])


if __name__ == "__main__":
    main()
