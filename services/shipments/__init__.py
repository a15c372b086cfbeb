"""Shipments: what left for whom, and how much of each order line.

Owns ``shipments`` and ``ledgers``. Consumes ``shipments.commands``, and from ``orders.events``
and ``supplier-orders.events`` what the ledgers need. Emits ``shipments.events`` and
``CommandRejected``.

A shipment may carry lines of several orders, so a command changes a shipment and some ledgers,
and no transaction spans them. The shipment's document is the commit point:

1. the ledgers are written first: every quantity that grows is taken, tagged with the version
   that the shipment's document will have;
2. the shipment is written with its events;
3. ledgers that hold more for the shipment than it carries now are lowered to it. There are none
   unless the command took something away, or an earlier try of it was refused or died halfway.

So at every moment a ledger holds at least what the committed shipments carry and at most what
was ordered, and a process that dies between two writes only leaves quantities taken, which the
command's redelivery commits or gives back.

A command for an order that is not known yet waits in its shipment's document.
"""
