"""Paths lead to operations in any case, literals before parameters."""

import pytest

from shared.http.operations import Call, Operation
from shared.http.routing import RouteTable


async def nothing(call: Call) -> None:
    """Does nothing."""


def operation(name: str, method: str, path: str) -> Operation:
    return Operation(name=name, method=method, path=path, handler=nothing)


def found(table: RouteTable, method: str, path: str) -> tuple[str, dict[str, str]] | None:
    match = table.find(path)
    of = None if match is None else match.of(method)
    return None if of is None else (of[0].name, of[1])


TABLE = RouteTable(
    [
        operation("Products.Get", "GET", "/products/{productID}"),
        operation("Products.ListAssignments", "GET", "/products/assignments"),
        operation("Products.ListVariants", "GET", "/products/{productID}/variants"),
        operation("Products.Delete", "DELETE", "/products/{productID}"),
        operation("Me.ListSpendingAccounts", "GET", "/me/spendingAccounts"),
        operation("Users.Move", "POST", "/buyers/{buyerID}/users/{userID}/moveto/{newBuyerID}"),
    ]
)


@pytest.mark.parametrize(
    ("method", "path", "expected"),
    [
        ("GET", "/v1/products/p-1", ("Products.Get", {"productID": "p-1"})),
        ("GET", "/V1/Products/P-1", ("Products.Get", {"productID": "P-1"})),
        ("GET", "/v1/products/assignments", ("Products.ListAssignments", {})),
        ("GET", "/v1/products/Assignments", ("Products.ListAssignments", {})),
        ("GET", "/v1/products/a/variants", ("Products.ListVariants", {"productID": "a"})),
        # The literal has nothing below it, so this is a product with that ID.
        (
            "GET",
            "/v1/products/assignments/variants",
            ("Products.ListVariants", {"productID": "assignments"}),
        ),
        ("GET", "/v1/me/spendingaccounts", ("Me.ListSpendingAccounts", {})),
        ("GET", "/v1/me/spendingaccounts/", ("Me.ListSpendingAccounts", {})),
        ("POST", "/v1/products/p-1", None),
        ("GET", "/v1/products", None),
        ("GET", "/v1/products//variants", None),
        ("GET", "/", None),
        (
            "POST",
            "/v1/buyers/B/users/u/moveto/N",
            ("Users.Move", {"buyerID": "B", "userID": "u", "newBuyerID": "N"}),
        ),
    ],
)
def test_finds_the_operation(
    method: str, path: str, expected: tuple[str, dict[str, str]] | None
) -> None:
    assert found(TABLE, method, path) == expected


def test_two_operations_on_one_route_are_refused() -> None:
    operations = [
        operation("A.Get", "GET", "/a/{aID}"),
        operation("B.Get", "GET", "/A/{bID}"),
    ]

    with pytest.raises(ValueError, match=r"B\.Get and A\.Get have the same route"):
        RouteTable(operations)


def test_methods_of_one_path_keep_their_own_parameter_names() -> None:
    table = RouteTable(
        [
            operation("A.Get", "GET", "/a/{aID}"),
            operation("A.Patch", "PATCH", "/a/{otherID}"),
        ]
    )

    assert found(table, "PATCH", "/v1/a/x") == ("A.Patch", {"otherID": "x"})
    assert found(table, "GET", "/v1/a/x") == ("A.Get", {"aID": "x"})
