import pytest
from tests.support.api import api_under_test, errors_of

async def test_it(mongo, database_prefix):
    async with api_under_test(mongo, database_prefix, ("accounts","checkout")) as api:
        async with api.as_admin() as c:
            r = await c.post("/buyers/b1/costcenters", json={"Name":"One","xp":{"a":{"b":1}}}); print(r.status_code, r.text)
            r = await c.post("/buyers/b1/costcenters", json={"ID":"cc","Name":"One","xp":{"a":{"b":1}}}); print(r.status_code, r.text)
            r = await c.post("/buyers/b1/costcenters", json={"ID":"cc","Name":"One"}); print(r.status_code, r.text)
            r = await c.get("/buyers/b1/costcenters?Name=o*&pageSize=1"); print(r.status_code, r.text)
            r = await c.put("/buyers/b1/costcenters/cd", json={"Name":"Two","Foo":1}); print(r.status_code, r.text)
            r = await c.put("/buyers/b1/costcenters/cd", json={"Name":"Two"}); print(r.status_code, r.text)
            r = await c.post("/buyers/b1/costcenters/assignments", json={"CostCenterID":"cd","UserGroupID":"g"}); print(r.status_code, r.text)
            r = await c.get("/buyers/b1/costcenters/assignments?level=Group"); print(r.status_code, r.text)
            r = await c.patch("/buyers/b1/costcenters/cd", json={"ID":"ce","xp":{"z":None}}); print(r.status_code, r.text)
            r = await c.get("/buyers/b1/costcenters/assignments?level=Group"); print(r.status_code, r.text)
            r = await c.delete("/buyers/b1/costcenters/ce"); print(r.status_code, r.text)
            r = await c.get("/buyers/b1/costcenters/assignments"); print(r.status_code, r.text)
            r = await c.get("/buyers/b1/costcenters/ce"); print(r.status_code, r.text)
            r = await c.post("/incrementors", json={"ID":"inc","LastNumber":7,"LeftPaddingCount":4}); print(r.status_code, r.text)
            r = await c.post("/buyers/b1/costcenters", json={"ID":"x{inc}","Name":"One"}); print(r.status_code, r.text)
        async with api.as_buyer("b2") as c:
            r = await c.get("/buyers/b1/costcenters/cc"); print(r.status_code, r.text)
        async with api.as_buyer("b1", "CostCenterReader") as c:
            r = await c.get("/buyers/b1/costcenters/cc"); print(r.status_code, r.text)
            r = await c.delete("/buyers/b1/costcenters/cc"); print(r.status_code, r.text)
            r = await c.get("/Incrementors"); print(r.status_code, r.text)
        async with api.client(None) as c:
            r = await c.get("/buyers/b1/costcenters/cc"); print(r.status_code, r.text, r.headers)
            r = await c.get("http://api/openapi.json"); print(r.status_code, len(r.text))
            r = await c.get("http://api/v1/zzz"); print(r.status_code, r.text)
            r = await c.put("http://api/v1/incrementors"); print(r.status_code, r.text)
