"""What every service stands on: contracts, messaging, MongoDB, HTTP, money, settings.

Nothing in here imports a service.
"""
