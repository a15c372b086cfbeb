"""The messages and resources that cross a service's border.

``orders``, ``catalog`` and ``fulfillment`` are the bodies of Kafka's commands and of what follows
from them; ``parties``, ``access`` and ``assortment`` are what the HTTP API has beside these.
``registry`` says which message type carries which body on which topic under which key,
``resources`` the same of the HTTP API's resources; ``base`` is the one model they share.
"""

# Both declare message types: whoever asks for all of them has to find all of them.
from shared.contracts import registry, resources

__all__ = ["registry", "resources"]
