"""Comparing what the services keep with each other and with what they said on the topics.

``kept`` reads the documents, ``heard`` the topics; ``orders``, ``shipments`` and ``told`` compare,
pure; ``findings`` is what comes of it; ``repair`` publishes what is missing; ``run`` puts it
together. Only reads, but for ``repair``, which writes to Kafka alone.
"""
