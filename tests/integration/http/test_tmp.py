import pytest, json
from tests.support.api import api_under_test, errors_of
def show(r): print(r.request.method, r.request.url.raw_path.decode(), r.status_code, r.text[:600])
async def test_it(mongo, database_prefix):
    async with api_under_test(mongo, database_prefix) as api:
        async with api.as_admin() as c:
            async def do(m, u, b=None):
                r = await c.request(m, u, json=b); show(r); return r
            await do("POST","/buyers",{"ID":"b1","Name":"B"})
            await do("GET","/catalogs/b1")
            await do("GET","/catalogs/assignments")
            await do("POST","/priceschedules",{"ID":"ps","Name":"PS","PriceBreaks":[{"Quantity":1,"Price":10,"SalePrice":5}],"SaleStart":"2020-01-01T00:00:00Z"})
            await do("POST","/products",{"ID":"p1","Name":"P","DefaultPriceScheduleID":"ps","Inventory":{"Enabled":True,"QuantityAvailable":5}})
            await do("PATCH","/products/p1",{"Name":"P2"})
            await do("PATCH","/products/p1",{"Inventory":{"QuantityAvailable":7}})
            await do("PUT","/products/p1",{"Name":"P2","DefaultPriceScheduleID":"ps"})
            await do("POST","/catalogs/productassignments",{"CatalogID":"b1","ProductID":"p1"})
            await do("GET","/products?catalogID=b1")
            await do("POST","/catalogs/assignments",{"CatalogID":"b1","BuyerID":"b1","ViewAllProducts":True})
            await do("POST","/catalogs/b1/categories",{"ID":"c1","Name":"C"})
            await do("POST","/catalogs/b1/categories",{"ID":"c2","Name":"C","ParentID":"c1"})
            await do("GET","/catalogs/b1/categories")
            await do("GET","/catalogs/b1/categories?depth=all")
            await do("POST","/catalogs/b1/categories/productassignments",{"CategoryID":"c2","ProductID":"p1"})
            await do("POST","/specs",{"ID":"s","Name":"Color","Required":True,"DefinesVariant":True})
            for o in "ab": await do("POST","/specs/s/options",{"ID":o,"Value":o})
            await do("GET","/specs/s")
            await do("POST","/specs/productassignments",{"SpecID":"s","ProductID":"p1"})
            await do("GET","/products/p1/specs")
            await do("POST","/products/p1/variants/generate",{})
            await do("GET","/products/p1/variants")
            await do("POST","/adminaddresses",{"ID":"a1","Street1":"x","City":"C","Country":"NL"})
            await do("POST","/addresses",{"ID":"a1","Street1":"x","City":"C","Country":"NL"})
            await do("POST","/products/p1/inventoryrecords",{"ID":"r1","AddressID":"a1","QuantityAvailable":3})
            await do("GET","/products/p1")
            await do("GET","/products/p1/inventoryrecords?includeAddress=true")
            await do("PATCH","/products/p1",{"ID":"p9"})
            await do("GET","/products/p9")
            await do("GET","/products/p9/inventoryrecords")
            await do("GET","/products/p1")
            await do("POST","/promotions",{"ID":"x","Code":"x","EligibleExpression":"order.Subtotal > 1","ValueExpression":"1"})
            await do("POST","/promotions",{"ID":"y","Code":"x","EligibleExpression":"order.Subtotal > ","ValueExpression":"1"})
        async with api.as_buyer("b1") as c:
            for u in ["/me/catalogs","/me/categories","/me/products","/me/products/p9","/me/products/p9/specs","/me/products/p9/variants","/me/products/p9/inventoryrecords","/me/products/p9/sellers","/me/promotions","/me/promotions/x","/me/products?categoryID=c1","/me/catalogs/b1","/me/categories/c1"]:
                await do("GET",u)
