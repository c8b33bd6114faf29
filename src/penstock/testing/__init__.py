"""What tests of Penstock and of plugins stand on: contract suites, and small real things to run a task against."""
