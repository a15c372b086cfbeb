"""The declaration of the topics, written down: a table, Strimzi's resources."""

from shared.messaging.topics import declared_topics

_DAY = 24 * 3600 * 1000


def topics_as_table(replication: int) -> str:
    """A table in Markdown."""
    lines = [
        "| topic | keeps | largest batch | time stamp | policy | in-sync copies for a write |",
        "|---|---|---|---|---|---|",
    ]
    for topic in declared_topics():
        config = topic.config(replication)
        days = topic.retention_ms // _DAY
        cells = [
            f"`{topic.name}`",
            "for ever" if topic.retention_ms < 0 else f"{days} days",
            f"{topic.max_message_bytes} bytes",
            "of the broker" if topic.append_time else "of the sender",
            config["cleanup.policy"],
            f"{config['min.insync.replicas']} of {replication}",
        ]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def topics_as_strimzi(partitions: int, replication: int, cluster: str) -> str:
    """A Strimzi ``KafkaTopic`` for each topic of the Kafka resource named ``cluster``."""
    documents = []
    for topic in declared_topics():
        lines = [
            "apiVersion: kafka.strimzi.io/v1",
            "kind: KafkaTopic",
            "metadata:",
            f"  name: {topic.name}",
            "  labels:",
            f"    strimzi.io/cluster: {cluster}",
            "spec:",
            f"  partitions: {partitions}",
            f"  replicas: {replication}",
            "  config:",
        ]
        lines += [f"    {name}: {value}" for name, value in topic.config(replication).items()]
        documents.append("\n".join(lines))
    return (
        "# Made by `ordermesh topics show --format strimzi`.\n" + "\n---\n".join(documents) + "\n"
    )
