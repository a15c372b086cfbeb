"""The read-only door to what another service owns.

Reference data (parties, products) may be read across services, so that a client that saves a
product can order it in the next call; it is never written here.
"""

from shared.catalog import ReferenceReader
from shared.contracts.catalog import Buyer, Supplier
from shared.service import Resources


def buyers(resources: Resources) -> ReferenceReader[Buyer]:
    return ReferenceReader(resources.database("accounts"), "buyers", Buyer)


def suppliers(resources: Resources) -> ReferenceReader[Supplier]:
    return ReferenceReader(resources.database("accounts"), "suppliers", Supplier)
