"""Apache Kafka: topics as places to send to and as sources of events."""
