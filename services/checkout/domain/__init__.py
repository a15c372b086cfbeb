"""A buyer's order: pure state and decisions.

``state`` is what is kept, ``placing`` takes an order in and submits it, ``changes`` is what may
happen to it afterwards, ``fold`` says which message is which.
"""
