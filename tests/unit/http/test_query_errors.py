"""What a list refuses, and what it says."""

from dataclasses import replace

import pytest

from shared.http.errors import ApiError
from shared.http.query import ANY, ListQuery, ListShape, parse_list
from tests.support.listing import SHAPE

ASSIGNMENTS = replace(SHAPE, filterable=False)


def refused(query_string: str, shape: ListShape = SHAPE) -> list[tuple[str, str]]:
    """Codes and messages."""
    with pytest.raises(ApiError) as raised:
        parse_list(query_string, shape)
    assert raised.value.status == 400
    return [(one.error_code, one.message) for one in raised.value.errors]


@pytest.mark.parametrize(
    "name",
    [
        "Foo",
        "Name.Foo",
        "Size.Foo",
        "Secret",  # write-only
        "$where",
        "_id",
        "xp.",
        "xp..a",
        "xp.$where",
        "xp.a.$gt",
        "xp.a%00b",
        "xp" + ".a" * 50,
        "state.Name",
        "Name|Foo",
        "Name|",
        "Sizes.0.Width",
        "searchType.x",
    ],
)
def test_a_field_that_is_not_there(name: str) -> None:
    ((code, message),) = refused(f"{name}=1")

    assert code == "List.InvalidProperty"
    assert message.endswith(
        " to filter on; there are ID, Name, Status, Quantity, Price, Weight, Active, DateCreated,"
        " Tags, Size, Size.Width, Size.Label, Sizes, Sizes.Width, Sizes.Label, xp, and what is"
        " below xp."
    )


@pytest.mark.parametrize(
    ("query_string", "message"),
    [
        ("Quantity=many", 'Quantity cannot be "many"; it takes a whole number.'),
        ("Quantity=1|x", 'Quantity cannot be "x"; it takes a whole number.'),
        ("Quantity=1.5", 'Quantity cannot be "1.5"; it takes a whole number.'),
        (
            "Quantity=9223372036854775808",
            'Quantity cannot be "9223372036854775808"; it takes a whole number.',
        ),
        ("Quantity=1*", 'Quantity cannot be "1*"; it takes a whole number, without *.'),
        ("Price=1e9999", 'Price cannot be "1e9999"; it takes a number.'),
        ("Weight=1e999", 'Weight cannot be "1e999"; it takes a number.'),
        ("Weight=nan", 'Weight cannot be "nan"; it takes a number.'),
        ("Active=1", 'Active cannot be "1"; it takes true or false.'),
        ("Active=>true", 'Active cannot be "true"; it takes true or false, without < or >.'),
        ("Status=Shut", 'Status cannot be "Shut"; it takes one of Open, Completed, Canceled.'),
        ("Status=3", 'Status cannot be "3"; it takes one of Open, Completed, Canceled.'),
        (
            "DateCreated=2021-02-30",
            (
                'DateCreated cannot be "2021-02-30"; it takes a time, such as 2021-02-23'
                ", 2021-02-23T20:39:03Z or 2/23/2021."
            ),
        ),
        (
            "DateCreated=>0001-01-01T00:00%2B02:00",
            (
                'DateCreated cannot be "0001-01-01T00:00+02:00"; it takes a time, such as 2021'
                "-02-23, 2021-02-23T20:39:03Z or 2/23/2021."
            ),
        ),
        (
            "Size=big",
            (
                'Size cannot be "big"; it takes * (present), !* (absent), or a filter on one of its'
                " fields."
            ),
        ),
        ("Name|Quantity=a", 'Quantity cannot be "a"; it takes a whole number.'),
        (
            "searchType=Fuzzy",
            (
                'searchType is "Fuzzy"; it is one of AnyTerm, AllTermsAnyField, AllTermsSameField,'
                " ExactPhrase, ExactPhrasePrefix."
            ),
        ),
        (
            f"Name=*{'a' * 1_001}",
            'A value of "Name" with * has more than 1000 characters; shorten it.',
        ),
        (
            "Name=" + "|".join(["a*"] * 101),
            "The filters have more than 100 values with *; ask for less at once.",
        ),
    ],
)
def test_a_value_of_the_wrong_type(query_string: str, message: str) -> None:
    assert refused(query_string) == [("List.InvalidType", message)]


@pytest.mark.parametrize(
    ("query_string", "code", "message"),
    [
        (
            "sortBy=Weight",
            "List.InvalidSortProperty",
            (
                '"Weight" cannot be sorted by; sortBy takes Name, ID, Price, DateCreated, Quantity,'
                " Size.Width and fields of xp, such as xp.Color, each with ! before it for"
                " descending."
            ),
        ),
        (
            "sortBy=" + ",".join(f"xp.f{number}" for number in range(17)),
            "List.InvalidSortProperty",
            "sortBy names 17 fields; it takes 16.",
        ),
        (
            "search=a&searchOn=Tags",
            "List.InvalidSearchProperty",
            (
                '"Tags" cannot be searched; searchOn takes Name, ID, Quantity and fields of xp,'
                " such as xp.Color."
            ),
        ),
        (
            "page=0",
            "List.InvalidPageSize",
            'page is "0"; the first page is 1, the last possible 999999999.',
        ),
        (
            "pageSize=101",
            "List.InvalidPageSize",
            'pageSize is "101"; ask for 1 to 100 items a page.',
        ),
        (
            "pagesize=ten",
            "List.InvalidPageSize",
            'pageSize is "ten"; ask for 1 to 100 items a page.',
        ),
        (
            f"search={'a' * 1_001}",
            "Search.InvalidQuery",
            (
                "The search is too long: at most 1000 characters, and words times fields at most"
                " 400; search for fewer words, or name fields in searchOn."
            ),
        ),
    ],
)
def test_what_else_is_refused(query_string: str, code: str, message: str) -> None:
    assert refused(query_string) == [(code, message)]


def test_all_that_is_wrong_is_said_at_once() -> None:
    asked = "Foo=1&Quantity=x&page=0&sortBy=Foo&searchOn=Foo&pageKey=x"

    assert [code for code, _ in refused(asked)] == [
        "List.InvalidProperty",
        "List.InvalidType",
        "List.InvalidPageSize",
        "List.InvalidSortProperty",
        "List.InvalidSearchProperty",
        "List.InvalidType",
    ]


def test_an_error_has_what_was_sent() -> None:
    with pytest.raises(ApiError) as raised:
        parse_list(f"Quantity={'x' * 500}", SHAPE)

    assert raised.value.errors[0].data == {"Parameter": "Quantity", "Value": "x" * 99 + "…"}


def test_assignments_are_paged_only() -> None:
    query = parse_list("page=2&pageSize=5&BuyerID=b1", ASSIGNMENTS)

    assert query == ListQuery({}, [("state.Name", 1), ("state.ID", 1)], 2, 5)
    for name in ("Name", "search", "searchOn", "sortBy", "searchType"):
        assert refused(f"{name}=ID", ASSIGNMENTS) == [
            (
                "List.InvalidProperty",
                f'This list takes no "{name}"; it takes buyerID, page, pageSize and pageKey.',
            )
        ]


def test_search_types_only_where_they_are_taken() -> None:
    ((code, _),) = refused("searchType=AnyTerm", replace(SHAPE, search_types=False))

    assert code == "List.InvalidProperty"


def test_any_field_is_sortable_and_every_text_searchable() -> None:
    shape = replace(SHAPE, searchable=ANY, sortable=ANY)

    query = parse_list("search=a&sortBy=Weight,!size.label", shape)

    assert query.sort == [("state.Weight", 1), ("state.Size.Label", -1), ("state.ID", -1)]
    assert [next(iter(one)) for one in query.filter["$or"]] == [
        "state.ID",
        "state.Name",
        "state.Status",
        "state.Tags",
        "state.Size.Label",
        "state.Sizes.Label",
    ]
    assert [code for code, _ in refused("sortBy=Tags", shape)] == ["List.InvalidSortProperty"]
