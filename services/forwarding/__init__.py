"""Forwarding: from a buyer's order to the orders of those who fill it.

Owns supplier orders, one aggregate for each buyer order that holds all its parts. Consumes
``orders.events``, ``shipments.events`` and ``forwarding.commands``. Emits
``supplier-orders.events``.
"""
