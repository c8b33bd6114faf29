"""Records as the JSON shapes of the API. Plain dictionaries, made by plain functions."""
