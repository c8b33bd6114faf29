"""Amazon Web Services, and services that speak as they do: objects (S3) and queues (SQS)."""
