"""`penstock test`: unit tests of flows without a server."""
