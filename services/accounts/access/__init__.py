"""Who may do what: keys, tokens, passwords, secrets and codes.

It knows users, API clients and security profiles only through :mod:`.ports`. What it keeps itself
is in the database of the accounts service, in collections of its own: ``signing_keys``,
``credentials``, ``refresh_tokens``, ``codes``. None of it is ever in a resource or an event.
"""
