from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from penstock.base.errors import InvalidRequestError
from penstock.cli.flow import app
from penstock.cli.including import expanded


def write(folder: Path, **files: str) -> Path:
    for name, text in files.items():
        path = folder / name.replace("__", "/").replace("_", ".")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return folder / "flow.yaml"


def test_file_of_one_line_takes_the_place_of_the_words(tmp_path: Path) -> None:
    """IAC-067."""
    flow = write(tmp_path, flow_yaml='a: "[[> one.txt ]]!" # [[>one.txt]]\n', one_txt="hi\n")
    assert expanded(flow) == 'a: "hi!" # hi\n'


def test_file_of_several_lines_is_indented_as_its_line(tmp_path: Path) -> None:
    """IAC-067."""
    flow = write(tmp_path, flow_yaml="script: |\n  [[> main.py]]\nb: 1\n", main_py="if a:\n    b()\n\nc()\n")
    assert expanded(flow) == "script: |\n  if a:\n      b()\n\n  c()\nb: 1\n"


def test_included_file_includes_from_its_own_folder_or_an_absolute_path(tmp_path: Path) -> None:
    """IAC-067."""
    far = tmp_path / "far.txt"
    flow = write(tmp_path, flow_yaml="[[> parts/a.txt]]\n", parts__a_txt=f"[[> b.txt]]\n[[> {far}]]", parts__b_txt="b",
                 far_txt="far")  # fmt: skip
    assert expanded(flow) == "b\nfar\n"


def test_what_is_no_include_stays_as_it_is(tmp_path: Path) -> None:
    """IAC-067."""
    text = "a: if [[ -f x ]]; then\nb: s/\\[[0-9]*//\n"
    assert expanded(write(tmp_path, flow_yaml=text)) == text
    assert expanded(write(tmp_path, flow_yaml="a: \\[[> one.txt]]\n")) == "a: [[> one.txt]]\n"


@pytest.mark.parametrize(
    ("text", "word"),
    [("[[> none.txt]]", "none.txt"), ("[[> flow.yaml]]", "includes itself"), ("a: [[> two.txt]]", "several lines")],
)
def test_include_that_cannot_be_is_one_error(tmp_path: Path, text: str, word: str) -> None:
    """IAC-067."""
    with pytest.raises(InvalidRequestError, match=word):
        expanded(write(tmp_path, flow_yaml=text, two_txt="1\n2"))


def test_flow_is_expanded_checked_and_drawn(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """IAC-060, IAC-066, OPS-112."""
    monkeypatch.chdir(tmp_path)
    task = "- id: one\n  type: io.kestra.plugin.core.flow.Sequential\n  tasks: [{id: two, type: io.kestra.plugin.core.log.Log, message: a}]"  # noqa: E501
    write(tmp_path, flow_yaml="id: a\nnamespace: b\ntasks:\n  [[> task.yml]]\n", task_yml=task)
    shown = CliRunner().invoke(app, ["expand", "flow.yaml"]).stdout
    assert shown == f"id: a\nnamespace: b\ntasks:\n  {task}\n".replace("\n  type", "\n    type").replace(
        "\n  tasks: [", "\n    tasks: ["
    )
    assert CliRunner().invoke(app, ["validate", "--local", "flow.yaml"]).exit_code == 0
    drawn = CliRunner().invoke(app, ["dot", "flow.yaml"]).stdout
    assert drawn.startswith('digraph "b.a" {')
    assert 'subgraph "cluster_root.one" {' in drawn
    assert '"root.one.two" [label="two\\nLog"];' in drawn
    assert drawn.count("{") == drawn.count("}")
    assert isinstance(CliRunner().invoke(app, ["dot", "task.yml"]).exception, InvalidRequestError)
