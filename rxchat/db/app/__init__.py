"""What needs all capabilities: the container, health, maintenance, data export."""
