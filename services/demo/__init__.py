"""The demo: a marketplace, its buyers and its suppliers, as outside systems on a real deployment.

``marketplace`` makes the catalogue and the orders, ``outside`` is the Kafka client that buyers
and suppliers use, ``receivers`` are the mail server and the web server that get notified,
``progress`` and ``summary`` are what the person sees, ``stage`` is what was heard and done so far,
``play`` is the course of it all.
"""

from services.demo.play import run

__all__ = ["run"]
