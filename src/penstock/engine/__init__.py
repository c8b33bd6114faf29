"""The engine: a pure function from (flow, execution, event, time) to a decision. No I/O, no clock, no randomness."""
