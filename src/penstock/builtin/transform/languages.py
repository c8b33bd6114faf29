"""`FileTransform` in Python, JavaScript, Ruby and Groovy."""

from __future__ import annotations

import sys
from typing import ClassVar

from penstock.builtin.transform.file_transform import FileTransform


class PythonFileTransform(FileTransform):
    """Change the items of a file one by one, by a script in Python.

    The script sees the item as `row`, and changes or replaces it. `row = None` leaves the item out; a list `rows` puts
    several in its place. `logger.info(...)` writes to the logs.

    ```yaml
    - id: taxed
      type: io.kestra.plugin.graalvm.python.FileTransform
      from: "{{ outputs.orders.uri }}"
      script: |
        if row["country"] != "FR":
            row = None
        else:
            row["total"] = row["price"] * 1.2
    ```

    The script runs in a process of its own. Dates are text in it.

    Implements ENG-339.
    """

    type_name = "io.kestra.plugin.graalvm.python.FileTransform"
    type_aliases = ("io.kestra.plugin.scripts.jython.FileTransform", "io.kestra.plugin.script.jython.FileTransform")
    program: ClassVar[str] = sys.executable
    packages: ClassVar[str] = "Python"
    options: ClassVar[tuple[str, ...]] = ("-I",)
    child: ClassVar[str] = "child.py"


class JavaScriptFileTransform(FileTransform):
    """Change the items of a file one by one, by a script in JavaScript.

    The script sees the item as `row`, and changes or replaces it. `row = null` leaves the item out; a list `rows` puts
    several in its place. `logger.info(...)` writes to the logs.

    ```yaml
    - id: taxed
      type: io.kestra.plugin.graalvm.js.FileTransform
      from: "{{ outputs.orders.uri }}"
      script: |
        if (row['country'] !== 'FR') {
          row = null
        } else {
          row['total'] = row['price'] * 1.2
        }
    ```

    The script runs in Node. Dates are text in it, and numbers have the precision of JavaScript.

    Implements ENG-339.
    """

    type_name = "io.kestra.plugin.graalvm.js.FileTransform"
    type_aliases = ("io.kestra.plugin.scripts.nashorn.FileTransform", "io.kestra.plugin.script.nashorn.FileTransform")
    program: ClassVar[str] = "node"
    packages: ClassVar[str] = "Node, such as the Debian package `nodejs`"
    child: ClassVar[str] = "child.cjs"


class RubyFileTransform(FileTransform):
    """Change the items of a file one by one, by a script in Ruby.

    The script sees the item as `row`, and changes or replaces it. `row = nil` leaves the item out; a list `rows` puts
    several in its place. `logger.info(...)` writes to the logs.

    ```yaml
    - id: taxed
      type: io.kestra.plugin.graalvm.ruby.FileTransform
      from: "{{ outputs.orders.uri }}"
      script: |
        row["total"] = row["price"] * 1.2
    ```

    The script runs in a process of its own. Dates are text in it.

    Implements ENG-339.
    """

    type_name = "io.kestra.plugin.graalvm.ruby.FileTransform"
    program: ClassVar[str] = "ruby"
    packages: ClassVar[str] = "Ruby, such as the Debian package `ruby`"
    child: ClassVar[str] = "child.rb"


class GroovyFileTransform(FileTransform):
    """Change the items of a file one by one, by a script in Groovy.

    The script sees the item as `row`, and changes or replaces it. `row = null` leaves the item out; a list `rows` puts
    several in its place. `logger.info(...)` writes to the logs.

    ```yaml
    - id: taxed
      type: io.kestra.plugin.scripts.groovy.FileTransform
      from: "{{ outputs.orders.uri }}"
      script: |
        row.total = row.price * 1.2
    ```

    The script runs in a process of its own. Dates are text in it.

    Implements ENG-339.
    """

    type_name = "io.kestra.plugin.scripts.groovy.FileTransform"
    type_aliases = ("io.kestra.plugin.script.groovy.FileTransform",)
    program: ClassVar[str] = "groovy"
    packages: ClassVar[str] = "Groovy, such as the Debian packages `groovy` and `default-jre-headless`"
    child: ClassVar[str] = "child.groovy"
