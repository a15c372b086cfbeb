"""MongoDB, Kafka and the processes themselves."""

from ops.dashboards.model import GREEN, RED, YELLOW, Board, Panel, Query, quantiles, rate

BOARD = Board(
    "ordermesh-infrastructure",
    "Ordermesh: infrastructure and processes",
    "What the services stand on, as they see it.",
    rows=[
        (
            "At a glance",
            [
                Panel(
                    "Processes",
                    "Whether Prometheus can read each process.",
                    "none",
                    [Query('up{job="ordermesh"}', "{{instance}}")],
                    kind="stat",
                    height=5,
                    words={0: ("DOWN", RED), 1: ("UP", GREEN)},
                ),
                Panel(
                    "MongoDB has a primary",
                    "As each process sees it. Without one nothing is written and batches wait.",
                    "none",
                    [Query("ordermesh_mongodb_primary", "{{instance}}")],
                    kind="stat",
                    height=5,
                    words={0: ("NO PRIMARY", RED), 1: ("PRIMARY", GREEN)},
                ),
            ],
        ),
        (
            "Clients",
            [
                Panel(
                    "Faults waited out, by error",
                    "What batches, publishing and background work met. Nothing is lost by them.",
                    "reqps",
                    [
                        rate(
                            "ordermesh_infrastructure_faults_total",
                            "service, client, error",
                            fault="mongod stopped",
                        )
                    ],
                ),
                Panel(
                    "MongoDB's commands that failed",
                    "By command and the server's or the driver's name of the error.",
                    "reqps",
                    [
                        rate(
                            "ordermesh_mongodb_command_failures_total",
                            "command, error",
                            fault="mongod stopped",
                        )
                    ],
                ),
                Panel(
                    "MongoDB's time, by command",
                    "What the driver waits for. Writes are majority and journaled: a slow disk"
                    " shows in update.",
                    "s",
                    quantiles("ordermesh_mongodb_command_seconds", "command"),
                    thresholds=[(1, YELLOW)],
                ),
                Panel(
                    "Kafka's time to take a batch",
                    "From sending a batch's records to the last acknowledgement.",
                    "s",
                    quantiles("ordermesh_publish_seconds", "service"),
                    thresholds=[(1, YELLOW)],
                ),
            ],
        ),
        (
            "Processes",
            [
                Panel(
                    "Processor",
                    "Processors in use. A service is one thread: at 1 it is at its limit.",
                    "short",
                    [
                        Query(
                            'rate(process_cpu_seconds_total{job="ordermesh"}[$__rate_interval])',
                            "{{instance}}",
                        )
                    ],
                    thresholds=[(0.9, RED)],
                ),
                Panel(
                    "Memory",
                    "Resident. 100 to 300 MB are usual.",
                    "bytes",
                    [
                        Query(
                            'process_resident_memory_bytes{job="ordermesh"}',
                            "{{instance}}",
                        )
                    ],
                ),
                Panel(
                    "Event-loop delay",
                    "How late a process comes to its next step. Long: too little processor time,"
                    " or one step that takes too long.",
                    "s",
                    quantiles("ordermesh_event_loop_delay_seconds", "instance"),
                    thresholds=[(0.5, RED)],
                ),
                Panel(
                    "Started",
                    "For how long each process has run. A saw tells of restarts.",
                    "s",
                    [
                        Query(
                            'time() - process_start_time_seconds{job="ordermesh"}',
                            "{{instance}}",
                        )
                    ],
                    width=6,
                ),
                Panel(
                    "Open files",
                    "File descriptors, of which connections are a part.",
                    "short",
                    [Query('process_open_fds{job="ordermesh"}', "{{instance}}")],
                    width=6,
                ),
                Panel(
                    "Versions",
                    "How many processes run each version.",
                    "short",
                    [Query("count by (version) (ordermesh_build_info)", "{{version}}")],
                    kind="stat",
                    width=4,
                ),
            ],
        ),
    ],
)
