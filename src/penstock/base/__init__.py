"""Words that every floor shares: errors, ids, instants, durations, JSON. Standard library and msgspec only."""
