"""A list's query string, read whole: what is wrong with it is said at once."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from shared.contracts.base import Error
from shared.http.errors import ApiError, error
from shared.http.query.fields import Field, all_fields, find
from shared.http.query.filters import WrongValue, condition, every
from shared.http.query.keys import InvalidKey, read_key
from shared.http.query.order import among, searchable, sortable, total_order
from shared.http.query.search import SearchType, search_condition
from shared.http.query.shape import ListQuery, ListShape
from shared.http.query.terms import parameters, terms
from shared.http.query.values import MOST_PAGE, whole

Condition = dict[str, Any]

DEFAULT_PAGE_SIZE = 20
MOST_PAGE_SIZE = 100

_MOST_SORTS = 16
_MOST_PATTERNS = 100
_LONGEST_PATTERN = 1_000


def parse_list(query_string: str, shape: ListShape) -> ListQuery:
    """What ``query_string`` (as sent, not decoded) asks of the list. Raises ``ApiError`` (400) with
    all that is wrong."""
    asked = _Asked(shape)
    for name, value in parameters(query_string):
        asked.take(name, value)
    return asked.query()


@dataclass
class _Asked:
    """The parameters of one request, read one by one."""

    shape: ListShape
    errors: list[Error] = field(default_factory=list)
    filters: list[Condition] = field(default_factory=list)
    page: int = 1
    page_size: int = DEFAULT_PAGE_SIZE
    page_key: str | None = None
    search: str = ""
    search_on: str = ""
    search_type: SearchType = SearchType.ALL_TERMS_ANY_FIELD
    sort_by: str = ""
    patterns: int = 0

    def take(self, name: str, value: str) -> None:
        lower = name.lower()
        if any(lower == own.lower() for own in self.shape.parameters):
            return
        setting = self._settings().get(lower)
        if setting is None:
            self._filter(name, value)
        elif value.strip():
            setting(value)

    def query(self) -> ListQuery:
        sort = self._sort()
        search = self._search()
        page = self.page
        if self.page_key is not None:
            try:
                page = read_key(self.page_key, sort).page
            except InvalidKey:
                self._refuse(
                    "List.InvalidType",
                    "pageKey is not one that this list gave for this sortBy; take NextPageKey from"
                    " the Meta of the page before, or leave pageKey out.",
                    Parameter="pageKey",
                )
        if self.errors:
            raise ApiError(400, self.errors)
        return ListQuery(every([*self.filters, search]), sort, page, self.page_size, self.page_key)

    def _settings(self) -> dict[str, Callable[[str], None]]:
        settings: dict[str, Callable[[str], None]] = {
            "page": self._set_page,
            "pagesize": self._set_page_size,
            "pagekey": self._set_page_key,
        }
        if self.shape.filterable:
            settings |= {
                "search": self._set_search,
                "searchon": self._set_search_on,
                "sortby": self._set_sort_by,
            }
            if self.shape.search_types:
                settings["searchtype"] = self._set_search_type
        return settings

    def _set_page(self, value: str) -> None:
        number = whole(value.strip())
        if number is None or not 1 <= number <= MOST_PAGE:
            self._refuse(
                "List.InvalidPageSize",
                f"page is {_shown(value)}; the first page is 1, the last possible {MOST_PAGE}.",
                Parameter="page",
            )
            return
        self.page = number

    def _set_page_size(self, value: str) -> None:
        number = whole(value.strip())
        if number is None or not 1 <= number <= MOST_PAGE_SIZE:
            self._refuse(
                "List.InvalidPageSize",
                f"pageSize is {_shown(value)}; ask for 1 to {MOST_PAGE_SIZE} items a page.",
                Parameter="pageSize",
            )
            return
        self.page_size = number

    def _set_page_key(self, value: str) -> None:
        self.page_key = value.strip()

    def _set_search(self, value: str) -> None:
        self.search = value

    def _set_search_on(self, value: str) -> None:
        self.search_on = value

    def _set_sort_by(self, value: str) -> None:
        self.sort_by = value

    def _set_search_type(self, value: str) -> None:
        for type_ in SearchType:
            if type_.lower() == value.strip().lower():
                self.search_type = type_
                return
        self._refuse(
            "List.InvalidType",
            f"searchType is {_shown(value)}; it is one of {', '.join(SearchType)}.",
            Parameter="searchType",
        )

    def _filter(self, name: str, value: str) -> None:
        names = name.split("|")
        found = [find(self.shape.model, one) for one in names] if self.shape.filterable else []
        fields = [one for one in found if one is not None]
        if len(fields) < len(names):
            self._refuse_filter(names, found)
            return
        if not value:
            return
        wanted = terms(value)
        wild = [term for term in wanted if term.wild and not term.bare]
        self.patterns += len(wild) * len(fields)
        if any(len(term.text) > _LONGEST_PATTERN for term in wild):
            self._refuse(
                "List.InvalidType",
                f"A value of {_shown(name)} with * has more than {_LONGEST_PATTERN} characters;"
                " shorten it.",
                Parameter=_cut(name),
            )
            return
        if self.patterns > _MOST_PATTERNS:
            self._refuse(
                "List.InvalidType",
                f"The filters have more than {_MOST_PATTERNS} values with *; ask for less at once.",
                Parameter=_cut(name),
            )
            return
        try:
            self.filters.append(condition(fields, wanted))
        except WrongValue as wrong:
            self._refuse(
                "List.InvalidType",
                f"{wrong.field.name} cannot be {_shown(wrong.text)}; it takes {wrong.expected}.",
                Parameter=wrong.field.name,
                Value=_cut(wrong.text),
            )

    def _refuse_filter(self, names: list[str], found: list[Field | None]) -> None:
        if not self.shape.filterable:
            own = sorted(self.shape.parameters)
            self._refuse(
                "List.InvalidProperty",
                f"This list takes no {_shown('|'.join(names))}; it takes"
                f" {', '.join([*own, 'page, pageSize and pageKey'])}.",
                Parameter=_cut("|".join(names)),
            )
            return
        allowed = ", ".join(one.name for one in all_fields(self.shape.model))
        for name, one in zip(names, found, strict=True):
            if one is None:
                self._refuse(
                    "List.InvalidProperty",
                    f"There is no field {_shown(name)} to filter on; there are {allowed}, and what"
                    " is below xp.",
                    Parameter=_cut(name),
                )

    def _search(self) -> Condition:
        fields = self._search_fields()
        if not self.search.strip():
            return {}
        words = len(self.search.split())
        self.patterns += words * len(fields)
        if len(self.search) > _LONGEST_PATTERN or self.patterns > _MOST_PATTERNS * 4:
            self._refuse(
                "Search.InvalidQuery",
                f"The search is too long: at most {_LONGEST_PATTERN} characters, and words times"
                f" fields at most {_MOST_PATTERNS * 4}; search for fewer words, or name fields in"
                " searchOn.",
                Parameter="search",
            )
            return {}
        return search_condition(self.search, fields, self.search_type)

    def _search_fields(self) -> list[Field]:
        allowed = searchable(self.shape)
        asked = [name.strip() for name in self.search_on.split(",") if name.strip()]
        found: list[Field] = []
        for name in asked:
            one = among(self.shape, name, allowed)
            if one is None:
                self._refuse(
                    "List.InvalidSearchProperty",
                    f"{_shown(name)} cannot be searched; searchOn takes {_listed(allowed)} and"
                    " fields of xp, such as xp.Color.",
                    Parameter="searchOn",
                    Value=_cut(name),
                )
            elif one not in found:
                found.append(one)
        return found or allowed

    def _sort(self) -> list[tuple[str, int]]:
        allowed = sortable(self.shape)
        asked = [name.strip() for name in self.sort_by.split(",") if name.strip()]
        sort: dict[str, int] = {}
        for name in asked:
            bare = name.lstrip("!")
            one = among(self.shape, bare, allowed)
            if one is None:
                self._refuse(
                    "List.InvalidSortProperty",
                    f"{_shown(bare)} cannot be sorted by; sortBy takes {_listed(allowed)} and"
                    " fields of xp, such as xp.Color, each with ! before it for descending.",
                    Parameter="sortBy",
                    Value=_cut(bare),
                )
            else:
                sort.setdefault(one.path, -1 if (len(name) - len(bare)) % 2 else 1)
        if len(sort) > _MOST_SORTS:
            self._refuse(
                "List.InvalidSortProperty",
                f"sortBy names {len(sort)} fields; it takes {_MOST_SORTS}.",
                Parameter="sortBy",
            )
        return total_order(self.shape, sort)

    def _refuse(self, code: str, message: str, **data: Any) -> None:
        self.errors.append(error(code, message, **data))


def _listed(fields: list[Field]) -> str:
    return ", ".join(one.name for one in fields)


def _cut(text: str) -> str:
    return text if len(text) <= 100 else text[:99] + "…"


def _shown(text: str) -> str:
    return f'"{_cut(text)}"'
