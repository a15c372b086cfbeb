"""What an order costs: pure functions from a request and reference data to amounts or errors.

``order`` brings the rooms together: ``lines`` finds unit prices and applies quantity rules,
``promotions`` takes discounts off, ``shipping`` and ``tax`` ask their providers, ``money`` spreads
amounts over lines to the cent. ``reference`` is what an order is priced against.
"""
