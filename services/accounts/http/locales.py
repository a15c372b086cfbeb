"""Locales: a language and a currency, for a buyer or for groups of its users."""

from services.accounts.http.directory import LOCALE_ASSIGNMENTS, LOCALES, exact
from shared.contracts.resources import LOCALE, LOCALE_ASSIGNMENT
from shared.http import places
from shared.http.documents import wire
from shared.http.door import Door
from shared.http.errors import conflict
from shared.http.kinds import (
    Assignment,
    Cascade,
    Change,
    Kind,
    Reference,
    admin_reader,
    own_by_owner,
)
from shared.http.operations import ADMIN
from shared.http.query import index


async def _is_the_only_one_of_its_kind(door: Door, change: Change) -> None:
    state = wire(change.after)
    own = {state["ID"]} | ({change.before.id} if change.before else set())
    same = {name: state.get(name) for name in ("OwnerID", "Currency", "Language")}
    for other in await door.documents["Locale"].find(same):
        if other["ID"] not in own:
            raise conflict(
                "Locale.DuplicateLanguageAndCurrency",
                f"The locale {other['ID']} has this language and currency already; assign that"
                " one.",
                LocaleID=other["ID"],
            )


KIND = Kind(
    events=LOCALE,
    sdk="Locales",
    path="/locales",
    id="localeID",
    collection=LOCALES,
    roles=admin_reader("Locale"),
    owned=True,
    visible=own_by_owner,
    searchable=("ID", "Currency"),
    sortable=("ID",),
    default_sort=("ID",),
    rules=(_is_the_only_one_of_its_kind,),
    on_delete=(Cascade("LocaleAssignment", "LocaleID"),),
    renames=(Cascade("LocaleAssignment", "LocaleID"),),
    indexes=(index("ID"), index("OwnerID", "ID")),
)

ASSIGNMENTS = Assignment(
    events=LOCALE_ASSIGNMENT,
    sdk="Locales",
    list="/locales/assignments",
    save="/locales/assignments",
    delete="/locales/{localeID}/assignments",
    collection=LOCALE_ASSIGNMENTS,
    roles=admin_reader("Locale"),
    users=ADMIN,
    parameters=("buyerID", "localeID", "userGroupID"),
    levels=frozenset({"Company", "Group"}),
    references=(
        Reference("LocaleID", places.LOCALES),
        Reference("BuyerID", places.BUYERS),
        Reference("UserGroupID", places.USER_GROUPS, ("BuyerID",)),
    ),
    indexes=(index("LocaleID", "BuyerID", "UserGroupID"), exact("BuyerID")),
)
