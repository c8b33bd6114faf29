"""What the editor of the interface completes is what there is."""

from __future__ import annotations

from scripts import expression_words


def test_editor_completes_the_filters_and_functions_that_are_registered() -> None:
    """ENG-380: run `python -m scripts.expression_words` after a change."""
    assert expression_words.TARGET.read_text(encoding="utf-8") == expression_words.text()
    assert "upper" in expression_words.words()["filters"]
    assert expression_words.words()["functions"]["secret"]["call"].startswith("secret(")
