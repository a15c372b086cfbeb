"""The messages and resources that cross a service's border.

``orders``, ``catalog`` and ``fulfillment`` are the bodies; ``registry`` says which message type
carries which body on which topic under which key; ``base`` is the one model they share.
"""
