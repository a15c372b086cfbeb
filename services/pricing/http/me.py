"""The catalogue at /me: what a buyer's user sees of it."""

from collections.abc import Awaitable, Callable
from typing import Any

from services.pricing.http.catalogs import CATALOGS, category_counts
from services.pricing.http.categories import CATEGORIES, count_children
from services.pricing.http.category_tree import depth_of, names_parent
from services.pricing.http.my_products import my_product, my_products, shown_to
from services.pricing.http.promotions import PROMOTIONS, show_redemptions
from services.pricing.http.visibility import (
    Viewer,
    catalog_views,
    default_catalog,
    need_catalog,
    viewer_of,
)
from shared.contracts.assortment import BuyerProduct
from shared.contracts.catalog import ProductBasics
from shared.http.documents import State, with_ids
from shared.http.door import Door
from shared.http.errors import bad_request, not_found
from shared.http.kinds import Kind
from shared.http.operations import BUYER, Call, ListOf, Operation, Parameter
from shared.http.present import presenter_of
from shared.http.query import ANY, ListShape, parse_list
from shared.http.resources import scope_of

_SHOPPER = ("Shopper",)
Handler = Callable[[Call], Awaitable[Any]]


def list_of(
    name: str,
    path: str,
    handler: Handler,
    shape: ListShape,
    answer: type[Any],
    summary: str,
    *,
    parameters: tuple[Parameter, ...] = (),
    facets: bool = False,
) -> Operation:
    """A list at /me."""
    return Operation(
        name=f"Me.{name}",
        method="GET",
        path=path,
        handler=handler,
        users=BUYER,
        roles=_SHOPPER,
        answer=ListOf(answer, facets),
        list=shape,
        parameters=parameters,
        summary=summary,
    )


def get_of(
    name: str,
    path: str,
    handler: Handler,
    answer: type[Any],
    summary: str,
    *,
    parameters: tuple[Parameter, ...] = (),
) -> Operation:
    """One thing at /me."""
    return Operation(
        name=f"Me.{name}",
        method="GET",
        path=path,
        handler=handler,
        users=BUYER,
        roles=_SHOPPER,
        answer=answer,
        parameters=parameters,
        summary=summary,
    )


def shape_of(kind: Kind, *parameters: str) -> ListShape:
    """What the list of a kind may be asked, with other parameters."""
    return ListShape(
        kind.model, kind.searchable, kind.sortable, kind.default_sort, frozenset(parameters)
    )


def without_owner(answers: list[State]) -> list[State]:
    """Whose something is, is no buyer's concern."""
    for answer in answers:
        answer["OwnerID"] = None
    return answers


def my_catalog_operations(door: Door) -> list[Operation]:
    """Catalogs and categories."""
    documents = door.documents
    present_catalog, present_category = presenter_of(CATALOGS.model), presenter_of(CATEGORIES.model)
    catalogs = shape_of(CATALOGS, "sellerID")
    categories = shape_of(CATEGORIES, "depth", "catalogID", "productID")

    async def shown_catalogs(states: list[State]) -> list[State]:
        answers = [present_catalog(state) for state in states]
        await category_counts(door, answers)
        return without_owner(answers)

    async def list_catalogs(call: Call) -> State:
        query = parse_list(call.query, catalogs)
        viewer = await viewer_of(door, call)
        scope: State = dict(with_ids(viewer.catalogs))
        seller = call.parameter("sellerID")
        if seller is not None:
            scope["OwnerID"] = seller
        page = await documents["Catalog"].page(scope_of(scope), query)
        return {"Meta": page.meta(), "Items": await shown_catalogs(page.documents)}

    async def get_catalog(call: Call) -> State:
        id = need_catalog(await viewer_of(door, call), call.path["catalogID"])
        state = await documents["Catalog"].get(id)
        if state is None:
            raise not_found("Catalog", id)
        return (await shown_catalogs([state]))[0]

    async def catalog_meant(viewer: Viewer, call: Call) -> str:
        named = call.parameter("catalogID") or await default_catalog(door, viewer)
        if named is None:
            raise bad_request(
                "Product.CategoryFilterRequiresCatalogID",
                "Your company has no default catalog: send catalogID.",
                Parameter="catalogID",
            )
        return need_catalog(viewer, named)

    async def shown_categories(states: list[State], call: Call) -> list[State]:
        answers = [present_category(state) for state in states]
        if answers:
            await count_children(door, states, answers, call)
        return answers

    async def list_categories(call: Call) -> State:
        query = parse_list(call.query, categories)
        product = call.parameter("productID")
        anywhere = product is not None or names_parent(call)
        levels = depth_of(call, None if anywhere else 1)
        viewer = await viewer_of(door, call)
        catalog = await catalog_meant(viewer, call)
        view = (await catalog_views(door, viewer, [catalog]))[catalog]
        ids = view.categories().intersection(view.tree.below(None, levels))
        if product is not None:
            assigned = await documents["CategoryProductAssignment"].find(
                {"CatalogID": catalog, "ProductID": product}
            )
            ids.intersection_update(each["CategoryID"] for each in assigned)
        page = await documents["Category"].page(
            scope_of({"CatalogID": catalog, **with_ids(ids)}), query
        )
        return {"Meta": page.meta(), "Items": await shown_categories(page.documents, call)}

    async def get_category(call: Call) -> State:
        id = call.path["categoryID"]
        viewer = await viewer_of(door, call)
        catalog = await catalog_meant(viewer, call)
        view = (await catalog_views(door, viewer, [catalog]))[catalog]
        state = await documents["Category"].get(f"{catalog}/{id}")
        if state is None or id not in view.categories():
            raise not_found("Category", id)
        return (await shown_categories([state], call))[0]

    in_catalog = Parameter("catalogID")
    return [
        list_of(
            "ListCatalogs",
            "/me/catalogs",
            list_catalogs,
            catalogs,
            CATALOGS.model,
            "Lists the active catalogs of your company.",
            parameters=(Parameter("sellerID"),),
        ),
        get_of(
            "GetCatalog", "/me/catalogs/{catalogID}", get_catalog, CATALOGS.model, "Gets a catalog."
        ),
        list_of(
            "ListCategories",
            "/me/categories",
            list_categories,
            categories,
            CATEGORIES.model,
            "Lists the categories of a catalog that you see.",
            parameters=(Parameter("depth"), in_catalog, Parameter("productID")),
        ),
        get_of(
            "GetCategory",
            "/me/categories/{categoryID}",
            get_category,
            CATEGORIES.model,
            "Gets a category.",
            parameters=(in_catalog,),
        ),
    ]


def my_product_operations(door: Door) -> list[Operation]:
    """Products."""
    products = ListShape(
        ProductBasics,
        ANY,
        ANY,
        ("Name", "ID"),
        frozenset({"catalogID", "categoryID", "depth", "sellerID"}),
        search_types=True,
    )
    seller = Parameter("sellerID")

    async def list_products(call: Call) -> State:
        query = parse_list(call.query, products)
        viewer = await viewer_of(door, call)
        wanted = await my_products(door, viewer, call)
        page = await door.documents["Product"].page(wanted, query)
        items = await shown_to(door, viewer, page.documents, call, call.parameter("sellerID"))
        return {"Meta": {**page.meta(), "Facets": []}, "Items": items}

    async def get_product(call: Call) -> State:
        viewer = await viewer_of(door, call)
        named = call.parameter("sellerID")
        state = await my_product(door, viewer, call.path["productID"], named)
        return (await shown_to(door, viewer, [state], call, named))[0]

    return [
        list_of(
            "ListProducts",
            "/me/products",
            list_products,
            products,
            BuyerProduct,
            "Lists the products that you see, at your prices.",
            parameters=(
                Parameter("catalogID"),
                Parameter("categoryID"),
                Parameter("depth"),
                seller,
            ),
            facets=True,
        ),
        get_of(
            "GetProduct",
            "/me/products/{productID}",
            get_product,
            BuyerProduct,
            "Gets a product, at your price.",
            parameters=(seller,),
        ),
    ]


def my_promotion_operations(door: Door) -> list[Operation]:
    """Promotions."""
    documents = door.documents["Promotion"]
    present = presenter_of(PROMOTIONS.model)
    shape = shape_of(PROMOTIONS)

    async def mine(call: Call) -> State:
        """Active, valid now, and for all, for the buyer or for a group of the user's."""
        viewer = await viewer_of(door, call)
        assigned = await door.documents["PromotionAssignment"].find({"BuyerID": viewer.buyer_id})
        ids = {each["PromotionID"] for each in assigned if viewer.is_meant(each)}
        return {
            "state.Active": True,
            "$and": [
                {"state.StartDate": {"$not": {"$gt": call.now}}},
                {"state.ExpirationDate": {"$not": {"$lte": call.now}}},
                {
                    "$or": [
                        {"state.AllowAllBuyers": True},
                        {"state.BuyerIDs": viewer.buyer_id},
                        scope_of(with_ids(ids)),
                    ]
                },
            ],
        }

    async def shown(states: list[State], call: Call) -> list[State]:
        answers = [present(state) for state in states]
        await show_redemptions(door, states, answers, call)
        for answer in without_owner(answers):
            # Who else may use it, is no buyer's concern.
            answer["BuyerIDs"] = None
        return answers

    async def list_promotions(call: Call) -> State:
        query = parse_list(call.query, shape)
        page = await documents.page(await mine(call), query)
        return {"Meta": page.meta(), "Items": await shown(page.documents, call)}

    async def get_promotion(call: Call) -> State:
        id = call.path["promotionID"]
        found = await documents.collection.find_one({"$and": [{"_id": id}, await mine(call)]})
        if found is None:
            raise not_found("Promotion", id)
        return (await shown([found["state"]], call))[0]

    return [
        list_of(
            "ListPromotions",
            "/me/promotions",
            list_promotions,
            shape,
            PROMOTIONS.model,
            "Lists the promotions that you may use now.",
        ),
        get_of(
            "GetPromotion",
            "/me/promotions/{promotionID}",
            get_promotion,
            PROMOTIONS.model,
            "Gets a promotion.",
        ),
    ]
