"""The task runner that runs commands as pods of a Kubernetes cluster."""
