"""The benchmark: whole orders through a real deployment, beside a bare loop in the same run.

``goods`` is what is traded, ``load`` the shop and the suppliers, ``usage`` reads processor time
and memory, ``footprint`` counts the messages and documents of an order, ``bare`` moves the same
without any logic, ``run`` puts it together and prints JSON; ``report`` measures how the cost grows.
"""
