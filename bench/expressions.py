"""What rendering costs, in microseconds: `python -m bench.expressions`."""

from __future__ import annotations

import timeit
from collections.abc import Callable

from penstock.expressions import Renderer, render

_VARIABLES = {
    "inputs": {"name": "Ada", "region": "eu", "count": 3},
    "flow": {"id": "hello", "namespace": "company.team"},
    "execution": {"id": "4bT9X", "startDate": "2024-01-15T10:30:00Z"},
    "outputs": {"extract": {"value": "a,b,c", "uri": "kestra:///x"}},
}
_CASES = {
    "static text": "a plain message without any expression in it",
    "static text with a brace": '{"plain": "json"}',
    "one lookup": "{{ inputs.name }}",
    "one lookup in text": "Hello {{ inputs.name }}!",
    "three lookups": "{{ flow.namespace }}.{{ flow.id }}: {{ inputs.name }}",
    "filter chain": "{{ inputs.name | lower | trim | slugify }}",
    "condition": "{{ inputs.region == 'eu' and inputs.count > 2 }}",
    "fallback": "{{ trigger.date ?? execution.startDate }}",
    "date": "{{ execution.startDate | date('yyyy-MM-dd') }}",
    "loop of 10": "{% for i in 1..10 %}{{ i }},{% endfor %}",
}
_COMPILED = (
    "Hello {{ inputs.name | upper }}, {{ outputs.extract.value ?? 'none' }} {% if inputs.count > 2 %}x{% endif %}"
)


def microseconds(action: Callable[[], object]) -> float:
    """Return the best time of one call."""
    timer = timeit.Timer(action)
    number, _ = timer.autorange()
    return min(timer.repeat(5, max(1, number // 4))) / max(1, number // 4) * 1e6


def main() -> None:
    """Print one line per case."""
    for name, template in _CASES.items():
        print(f"{name:<26}{microseconds(lambda template=template: render(template, _VARIABLES)):10.2f} µs")  # type: ignore[misc]
    uncached = Renderer(cache_size=0)
    print(f"{'compile':<26}{microseconds(lambda: uncached.compile(_COMPILED)):10.2f} µs")


if __name__ == "__main__":
    main()
