"""The Kafka contract in the forms that tools read, generated from ``shared/contracts``.

``wire`` makes JSON Schema of a model as it is on the wire, ``messages`` of every message type with
its topic and key, ``asyncapi`` describes all topics, ``compatibility`` finds what breaks who is
already there, ``files`` keeps what is committed.
"""
