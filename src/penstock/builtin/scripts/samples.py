"""Examples for the languages that need nothing but their name: a few lines of each, and how a file of them is run."""

from __future__ import annotations

from textwrap import indent

from penstock.builtin.scripts.language import Language

SAMPLES = {
    "bun": "const orders = [4, 1, 7];\nconsole.log(`${orders.reduce((sum, one) => sum + one)} pieces`);",
    "deno": 'const answer = await fetch("https://example.com/orders.json");\nconsole.log(await answer.json());',
    "go": 'package main\n\nimport "fmt"\n\nfunc main() {\n    fmt.Println(4 + 1 + 7, "pieces")\n}',
    "groovy": 'def orders = [4, 1, 7]\nprintln "${orders.sum()} pieces"',
    "julia": 'orders = [4, 1, 7]\nprintln("$(sum(orders)) pieces")',
    "lua": 'total = 0\nfor _, amount in ipairs({4, 1, 7}) do total = total + amount end\nprint(total .. " pieces")',
    "perl": 'use List::Util qw(sum);\nprint sum(4, 1, 7), " pieces\\n";',
    "php": '<?php\n$orders = [4, 1, 7];\necho array_sum($orders), " pieces\\n";',
    "powershell": '$orders = 4, 1, 7\nWrite-Output "$(($orders | Measure-Object -Sum).Sum) pieces"',
    "r": 'orders <- c(4, 1, 7)\ncat(sum(orders), "pieces\\n")',
    "ruby": 'orders = [4, 1, 7]\nputs "#{orders.sum} pieces"',
}
"""A script of each language, by the part of its type names."""


def example(language: Language, type_name: str) -> str:
    """Return an example of a language's task type, with its title, as docstrings have them (UI-147)."""
    script = SAMPLES[language.package]
    if type_name.endswith(".Script"):
        title, code = f"Run a few lines of {language.name}", f"script: |\n{indent(script, '  ')}"
    else:
        file = f"orders{language.suffix}"
        # PowerShell is its own shell, and calls a file by its path.
        command = f"./{file}" if language.run.startswith("&") else language.run.format(file)
        title = f"Run a file of {language.name}"
        code = f"inputFiles:\n  {file}: |\n{indent(script, '    ')}\ncommands:\n  - {command}"
    task = f"tasks:\n  - id: count\n    type: {type_name}\n{indent(code, '    ')}"
    return f"{title}:\n\n```yaml\n{task}\n```"
