"""Services that use all capabilities: the container, health, maintenance, data export."""
