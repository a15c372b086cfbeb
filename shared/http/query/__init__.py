"""What a list may be asked, compiled to MongoDB: filters, search, order, pages.

``parse_list`` reads a query string for a ``ListShape`` and gives a ``ListQuery``; ``run_list`` runs
that on a collection of aggregates. Every value that a client sends stays a value: no operator, no
regular expression and no path outside the model can come in. docs/http-queries.md has the grammar.
"""

from shared.http.query.parse import parse_list
from shared.http.query.run import COLLATION, Page, index, meta_of, run_combined, run_list
from shared.http.query.shape import ANY, ListQuery, ListShape
from shared.http.query.small import run_small_list
from shared.http.query.totals import Totals

__all__ = [
    "ANY",
    "COLLATION",
    "ListQuery",
    "ListShape",
    "Page",
    "Totals",
    "index",
    "meta_of",
    "parse_list",
    "run_combined",
    "run_list",
    "run_small_list",
]
