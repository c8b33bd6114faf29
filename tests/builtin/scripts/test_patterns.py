import pytest

from penstock.builtin.scripts.patterns import PatternError, glob_regex, namespace_regex


@pytest.mark.parametrize(
    ("pattern", "path", "matches"),
    [
        ("a.csv", "a.csv", True),
        ("a.csv", "abcsv", False),
        ("*.csv", "a.csv", True),
        ("*.csv", "sub/a.csv", False),
        ("**.csv", "sub/a.csv", True),
        ("**/*.csv", "sub/deep/a.csv", True),
        ("**/*.csv", "a.csv", True),
        ("sub/**", "sub/deep/a.csv", True),
        ("a?.csv", "ab.csv", True),
        ("a?.csv", "a/.csv", False),
        ("[a-c].csv", "b.csv", True),
        ("[!a-c].csv", "b.csv", False),
        ("[^a].csv", "b.csv", False),
        ("*.{csv,json}", "a.json", True),
        ("*.{csv,json}", "a.xml", False),
        ("{a,b{c,d}}.x", "bd.x", True),
        ("a{b", "a{b", True),
        ("a[b", "a[b", True),
        (r"\*.csv", "*.csv", True),
        (r"\*.csv", "a.csv", False),
        ("(a|b)+", "(a|b)+", True),
    ],
)
def test_glob_matches_as_expected(pattern: str, path: str, matches: bool) -> None:
    assert (glob_regex(pattern).fullmatch(path) is not None) is matches


@pytest.mark.parametrize(
    ("pattern", "path", "matches"),
    [
        ("file1.txt", "file1.txt", True),
        ("file1.txt", "a/b/file1.txt", True),
        ("/file1.txt", "file1.txt", True),
        ("/file1.txt", "a/file1.txt", False),
        ("src/**", "a/src/b.py", True),
        ("/src/**", "a/src/b.py", False),
        ("glob:src/*.py", "src/a.py", True),
        ("glob:src/*.py", "x/src/a.py", False),
        (r"regex:^src/.*\.py$", "src/x/a.py", True),
        (r"regex:^src/.*\.py$", "x/src/a.py", False),
    ],
)
def test_namespace_pattern_matches_as_expected(pattern: str, path: str, matches: bool) -> None:
    """ENG-350."""
    assert (namespace_regex(pattern).fullmatch(path) is not None) is matches


def test_namespace_pattern_with_wrong_regex_says_so() -> None:
    with pytest.raises(PatternError, match=r"`regex:\(` is no regular expression"):
        namespace_regex("regex:(")
