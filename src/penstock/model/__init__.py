"""What users write: flows, tasks, inputs, triggers; YAML with positions, JSON Schema."""
