"""AMQP: exchanges to send to, and queues as sources of events."""
