"""The two ways to run the same handlers: all in one process, or as services on RabbitMQ."""
