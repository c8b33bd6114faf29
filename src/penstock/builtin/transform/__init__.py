"""Files changed item by item, by a small script of the flow."""
