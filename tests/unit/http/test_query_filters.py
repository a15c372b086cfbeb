"""What filters compile to."""

from datetime import UTC, datetime
from typing import Any

import pytest
from bson.decimal128 import Decimal128

from shared.http.query import parse_list
from tests.support.listing import SHAPE


def compiled(query_string: str) -> dict[str, Any]:
    return parse_list(query_string, SHAPE).filter


def begins(first: str, pattern: str) -> dict[str, Any]:
    return {"$gte": first, "$lt": f"{first}\uffff", "$regex": pattern, "$options": "is"}


DAY = datetime(2021, 2, 23, tzinfo=UTC)


@pytest.mark.parametrize(
    ("query_string", "filter"),
    [
        ("", {}),
        ("?", {}),
        ("&&", {}),
        # Without a value nothing is asked.
        ("Name=", {}),
        ("Name", {}),
        ("search=&searchOn=&sortBy=&page=&pageSize=&pageKey=", {}),
        # The operation's own, in any case.
        ("buyerID=b1", {}),
        ("BuyerId=b1", {}),
        # Names in any case; keys of xp as they are.
        ("name=a", {"state.Name": {"$eq": "a"}}),
        ("SIZE.width=1", {"state.Size.Width": {"$eq": 1}}),
        ("XP.Color.deep=red", {"state.xp.Color.deep": {"$eq": "red"}}),
        # Encoded or not; a name never has to be.
        ("Name=10%25%20off", {"state.Name": {"$eq": "10% off"}}),
        ("Name=10% off", {"state.Name": {"$eq": "10% off"}}),
        ("Name=a+b", {"state.Name": {"$eq": "a b"}}),
        ("xp%2Ea=b", {"state.xp.a": {"$eq": "b"}}),
        ("Name=a=b", {"state.Name": {"$eq": "a=b"}}),
        # Alternatives, exclusions.
        ("Name=a|b", {"state.Name": {"$in": ["a", "b"]}}),
        ("Name=!a", {"state.Name": {"$ne": "a"}}),
        ("Name=!!a", {"state.Name": {"$eq": "a"}}),
        ("Name=!!!a", {"state.Name": {"$ne": "a"}}),
        ("Name=!a|!b", {"state.Name": {"$nin": ["a", "b"]}}),
        (
            "Status=Open|Completed|!Open",
            {
                "state.Status": {"$ne": "Open"},
                "$and": [{"state.Status": {"$in": ["Open", "Completed"]}}],
            },
        ),
        ("Name!=a|b", {"state.Name": {"$nin": ["a", "b"]}}),
        # Repeated: both.
        ("Name=a&Quantity=1", {"state.Name": {"$eq": "a"}, "state.Quantity": {"$eq": 1}}),
        (
            "Name=!a&Name=!b",
            {"state.Name": {"$ne": "a"}, "$and": [{"state.Name": {"$ne": "b"}}]},
        ),
        # Escapes.
        (r"Name=a\|b", {"state.Name": {"$eq": "a|b"}}),
        (r"Name=\!a", {"state.Name": {"$eq": "!a"}}),
        (r"Name=\>5", {"state.Name": {"$eq": ">5"}}),
        (r"Name=a\*", {"state.Name": {"$eq": "a*"}}),
        (r"Name=a\\", {"state.Name": {"$eq": "a\\"}}),
        ("Name=a\\", {"state.Name": {"$eq": "a\\"}}),
        # Absent, present.
        ("Name=!*", {"state.Name": {"$eq": None}}),
        ("Name=*", {"state.Name": {"$ne": None}}),
        ("Name=**", {"state.Name": {"$ne": None}}),
        ("Name=!*|a", {"state.Name": {"$in": [None, "a"]}}),
        ("Size=!*", {"state.Size": {"$eq": None}}),
        ("xp=*", {"state.xp": {"$ne": None}}),
        # Wildcards.
        ("Name=ab*", {"state.Name": begins("ab", r"\Aab")}),
        ("Name=a*b", {"state.Name": begins("a", r"\Aa.*b\z")}),
        ("Name=a*b*c", {"state.Name": begins("a", r"\Aa(?>.*?b).*c\z")}),
        ("Name=*b", {"state.Name": {"$regex": r"\A.*b\z", "$options": "is"}}),
        ("Name=*b*", {"state.Name": {"$regex": r"\A(?>.*?b)", "$options": "is"}}),
        ("Name=!ab*", {"state.Name": {"$not": begins("ab", r"\Aab")}}),
        ("Name=*.+*", {"state.Name": {"$regex": r"\A(?>.*?\x{2e}\x{20})", "$options": "is"}}),
        ("Name=*%00*", {"state.Name": {"$regex": r"\A(?>.*?\x{0})", "$options": "is"}}),
        # Vowels that are written before what they follow: no range finds them.
        ("Name=เ*", {"state.Name": {"$regex": r"\Aเ", "$options": "is"}}),
        # Ranges, wherever the operator stands.
        ("Quantity=>5", {"state.Quantity": {"$gt": 5}}),
        ("Quantity=%3E%3D5", {"state.Quantity": {"$gte": 5}}),
        ("Quantity>5", {"state.Quantity": {"$gt": 5}}),
        ("Quantity>=5", {"state.Quantity": {"$gte": 5}}),
        ("Quantity<5", {"state.Quantity": {"$lt": 5}}),
        ("Quantity<=5", {"state.Quantity": {"$lte": 5}}),
        ("Size.Width%3E5", {"state.Size.Width": {"$gt": 5}}),
        ("Quantity=!<40", {"state.Quantity": {"$gte": 40}}),
        ("Quantity=!>40", {"state.Quantity": {"$lte": 40}}),
        (
            "Quantity=!<1|!>9",
            {"state.Quantity": {"$gte": 1}, "$and": [{"state.Quantity": {"$lte": 9}}]},
        ),
        ("Quantity<1|3", {"$or": [{"state.Quantity": {"$lt": 1}}, {"state.Quantity": {"$lt": 3}}]}),
        ("ID=>x", {"state.ID": {"$gt": "x"}}),
        ("Name=>a*", {"state.Name": {"$gt": "a*"}}),
        # Types.
        ("Quantity=-7", {"state.Quantity": {"$eq": -7}}),
        ("Price=12.50", {"state.Price": {"$eq": Decimal128("12.50")}}),
        ("Weight=>.5", {"state.Weight": {"$gt": 0.5}}),
        ("Active=TRUE", {"state.Active": {"$eq": True}}),
        ("Status=open", {"state.Status": {"$eq": "Open"}}),
        ("Status=1", {"state.Status": {"$eq": "Completed"}}),
        ("Tags=a|b", {"state.Tags": {"$in": ["a", "b"]}}),
        ("Sizes.Width=3", {"state.Sizes.Width": {"$eq": 3}}),
        # Times: a date alone is the day where something equals it, its beginning in a range.
        ("DateCreated=>2021-02-23", {"state.DateCreated": {"$gt": DAY}}),
        ("DateCreated=>2/23/2021", {"state.DateCreated": {"$gt": DAY}}),
        (
            "DateCreated=2021-02-23",
            {"state.DateCreated": {"$gte": DAY, "$lt": DAY.replace(day=24)}},
        ),
        (
            "DateCreated=!2/23/2021",
            {"state.DateCreated": {"$not": {"$gte": DAY, "$lt": DAY.replace(day=24)}}},
        ),
        (
            "DateCreated=9999-12-31",
            {"state.DateCreated": {"$gte": datetime(9999, 12, 31, tzinfo=UTC)}},
        ),
        ("DateCreated=2021-02-23T01:30:00+01:30", {"state.DateCreated": {"$eq": DAY}}),
        ("DateCreated=2021-02-23T01:30:00%2B01:30", {"state.DateCreated": {"$eq": DAY}}),
        ("DateCreated=2021-02-22T19:00-0500", {"state.DateCreated": {"$eq": DAY}}),
        ("DateCreated=2021-02-23T00:00:00.0000000Z", {"state.DateCreated": {"$eq": DAY}}),
        ("DateCreated=2/23/2021 12:00 AM", {"state.DateCreated": {"$eq": DAY}}),
        (
            "DateCreated<=2/23/2021 1:05:06 pm",
            {"state.DateCreated": {"$lte": DAY.replace(hour=13, minute=5, second=6)}},
        ),
        # xp has no types: whatever the text can be.
        ("xp.n=5", {"state.xp.n": {"$in": ["5", 5]}}),
        ("xp.n=5.50", {"state.xp.n": {"$in": ["5.50", 5.5]}}),
        ("xp.n=!true", {"state.xp.n": {"$nin": ["true", True]}}),
        ("xp.n=null", {"state.xp.n": {"$eq": "null"}}),
        ("xp.n=>5", {"state.xp.n": {"$gt": 5}}),
        ("xp.n=>2021-02-23", {"state.xp.n": {"$gt": "2021-02-23"}}),
        ("xp.n=99999999999999999999", {"state.xp.n": {"$in": ["99999999999999999999", 1e20]}}),
        # Several fields: any has it, or none where it is excluded.
        (
            "Name|ID=a",
            {"$or": [{"state.Name": {"$eq": "a"}}, {"state.ID": {"$eq": "a"}}]},
        ),
        ("Name|ID=!a", {"state.Name": {"$ne": "a"}, "state.ID": {"$ne": "a"}}),
        # Values never are operators.
        ("Name=$ne", {"state.Name": {"$eq": "$ne"}}),
        ('Name={"$gt":""}', {"state.Name": {"$eq": '{"$gt":""}'}}),
    ],
)
def test_a_filter_compiles(query_string: str, filter: dict[str, Any]) -> None:
    assert compiled(query_string) == filter
