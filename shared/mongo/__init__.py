"""MongoDB: client, exact decimals, aggregates with their inbox and outbox."""
