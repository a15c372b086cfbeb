"""Pricing: what an order costs, and who may have the last unit.

Owns ``products``, ``price_schedules``, ``promotions``, ``locations``, ``sourcing_rules``,
``allotments`` (stock and redemption counters) and ``quotes`` (one for each buyer order). Consumes
``catalog.commands`` (those kinds and inventory) and ``pricing.requests``. Emits ``pricing.results``
and ``catalog.events``.

``domain`` prices an order, purely. ``allotments`` counts units and ``sourcing`` chooses the
warehouses they come from, purely too; ``granting`` is the protocol that writes them. ``quotes``
answers the requests, ``requests`` brings all of it together for a batch.
"""
