"""What the README shows is what it runs."""

from __future__ import annotations

from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_readme_shows_the_flow_that_it_runs() -> None:
    readme = (ROOT / "README.md").read_text()
    assert "penstock run examples/hello.yaml" in readme
    assert f"```yaml\n{(ROOT / 'examples' / 'hello.yaml').read_text()}```" in readme
