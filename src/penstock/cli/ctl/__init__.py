"""`penstock ctl`, also installed as `kestractl`: a server's flows, executions, files and pairs through its API."""
