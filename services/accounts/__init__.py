"""Accounts: the parties.

Owns buyers and suppliers. Consumes ``catalog.commands`` (``SaveBuyer``, ``SaveSupplier`` and
their ``Delete…``). Emits ``catalog.events``.
"""
