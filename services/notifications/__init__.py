"""Tells buyers by e-mail and other systems by signed webhooks what happened to an order.

Owns ``webhooks`` and ``deliveries``; consumes the public events of orders, supplier orders and
shipments, and the ``Webhook`` commands of the catalogue; emits ``NotificationDelivered`` and
``NotificationFailed``.

A batch of events becomes deliveries (``domain``), one document for each event and target, written
in one round trip (``consumers``, ``store``). Beside the batches the ``dispatcher`` sends them:
every target has a ``lanes.Lane`` with limits of its own, so that a slow or dead one holds up no
other. ``mail`` and ``webhooks`` are what it sends with, ``guard`` is what keeps both from private
addresses, and ``results`` writes down what became of them.
"""
