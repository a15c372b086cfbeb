"""What operators run beside Ordermesh: dashboards, rules and their configuration."""
