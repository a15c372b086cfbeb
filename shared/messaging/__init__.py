"""Kafka: decoding, the batch runner, publishing, dead letters, the outbox relay.

The way of a batch, from poll to commit, is in ``runner``; what happens to one aggregate in it
is in ``processor``.
"""
