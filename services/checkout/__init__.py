"""Checkout: buyer orders from placement to completion.

Owns buyer orders (lines, payments, promotions and approvals with them) and approval rules.
Consumes ``orders.commands``, ``pricing.results``, ``shipments.events`` and, for approval rules,
``catalog.commands``. Emits ``orders.events``, ``pricing.requests`` and ``commands.rejected``.
"""
