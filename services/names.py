"""The services by their names."""

SERVICES = ("accounts", "pricing", "checkout", "forwarding", "shipments", "notifications")

MOUNTED = ("accounts", "pricing", "checkout")
"""Those that have an HTTP side, which the process of the API serves."""
