"""Services of Google Cloud."""
