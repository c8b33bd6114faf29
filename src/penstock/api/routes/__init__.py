"""One module for each resource: parse, authorise, call one use case, render."""
