"""The services, the command line that runs them, the demo and the benchmark.

Every service has the same rooms: ``domain`` (pure decisions), ``store`` (MongoDB), ``consumers``
(Kafka in), ``app`` (wiring). No service imports another; only ``runtime`` and ``cli`` know all.
"""
