"""Flows the browser tests run."""

from __future__ import annotations

HELLO = """\
id: {id}
namespace: ui.tests
description: Greets someone.
inputs:
  - id: name
    type: STRING
    defaults: world
tasks:
  - id: greeting
    type: io.kestra.plugin.core.debug.Return
    format: Hello, {{{{ inputs.name }}}}!
  - id: say
    type: io.kestra.plugin.core.log.Log
    message: "{{{{ outputs.greeting.value }}}}"
"""

FAILING = """\
id: {id}
namespace: ui.tests
tasks:
  - id: fine
    type: io.kestra.plugin.core.log.Log
    message: all is well
  - id: broken
    type: io.kestra.plugin.core.execution.Fail
    errorMessage: the orders are missing
  - id: never
    type: io.kestra.plugin.core.log.Log
    message: not reached
"""

PAUSED = """\
id: {id}
namespace: ui.tests
tasks:
  - id: before
    type: io.kestra.plugin.core.log.Log
    message: before the pause
  - id: approval
    type: io.kestra.plugin.core.flow.Pause
  - id: after
    type: io.kestra.plugin.core.log.Log
    message: after the pause
"""

LOOP = """\
id: {id}
namespace: ui.tests
tasks:
  - id: each
    type: io.kestra.plugin.core.flow.ForEach
    values: ["a", "b", "c", "d"]
    tasks:
      - id: item
        type: io.kestra.plugin.core.log.Log
        message: "item {{{{ taskrun.value }}}}"
"""

INPUTS = """\
id: {id}
namespace: ui.tests
inputs:
  - id: age
    type: INT
    min: 18
    max: 64
  - id: send
    type: BOOL
    defaults: false
  - id: cloud
    type: SELECT
    values: [AWS, GCP]
  - id: regions
    type: MULTISELECT
    values: [eu-west, us-east]
    required: false
  - id: day
    type: DATE
    required: false
  - id: report
    type: FILE
    required: false
tasks:
  - id: show
    type: io.kestra.plugin.core.debug.Return
    format: "{{{{ inputs.age }}}} {{{{ inputs.cloud }}}} {{{{ inputs.send }}}}"
"""

CHECKED = """\
id: {id}
namespace: ui.tests
inputs:
  - id: age
    type: INT
    defaults: 17
tasks:
  - id: say
    type: io.kestra.plugin.core.log.Log
    message: "{{{{ inputs.age }}}}"
checks:
  - condition: "{{{{ inputs.age >= 18 }}}}"
    message: Only for adults
    style: WARNING
    behavior: CREATE_EXECUTION
"""

MEASURED = """\
id: {id}
namespace: ui.tests
tasks:
  - id: count
    type: io.kestra.plugin.scripts.shell.Commands
    taskRunner:
      type: io.kestra.plugin.core.runner.Process
    commands:
      - >-
        echo '::{{"metrics": [{{"name": "rows.loaded", "type": "counter", "value": 42,
        "tags": {{"table": "orders"}}}}]}}::'
  - id: both
    type: io.kestra.plugin.core.flow.Parallel
    tasks:
      - id: left
        type: io.kestra.plugin.core.debug.Return
        format: left hand
      - id: right
        type: io.kestra.plugin.core.execution.Fail
"""

QUEUED = """\
id: {id}
namespace: ui.tests
concurrency:
  limit: 1
tasks:
  - id: hold
    type: io.kestra.plugin.core.flow.Pause
"""

MANY = """\
id: {id}
namespace: ui.tests
tasks:
  - id: each
    type: io.kestra.plugin.core.flow.ForEach
    concurrencyLimit: 0
    values: "{{{{ range(1, 30) }}}}"
    tasks:
      - id: item
        type: io.kestra.plugin.core.debug.Return
        format: "{{{{ taskrun.value }}}}"
"""

COLOURED = """\
id: {id}
namespace: ui.tests
tasks:
  - id: paint
    type: io.kestra.plugin.core.log.Log
    message: "plain \\u001b[31mred words\\u001b[0m"
"""

LONG_LOG = """\
id: {id}
namespace: ui.tests
tasks:
  - id: count
    type: io.kestra.plugin.scripts.shell.Commands
    taskRunner: {{type: io.kestra.plugin.core.runner.Process}}
    commands: ["seq -f 'row %.0f of orders' 3000"]
  - id: end
    type: io.kestra.plugin.core.log.Log
    message: that was all
"""

PAUSED_LOG = LONG_LOG.replace("3000", "300").replace(
    "  - id: end", "  - {{id: approval, type: io.kestra.plugin.core.flow.Pause}}\n  - id: end"
)

WIDE = """\
id: {id}
namespace: ui.tests
tasks:
  - id: all
    type: io.kestra.plugin.core.flow.Parallel
    tasks:
""" + "".join(
    f"      - {{{{id: part_{number}, type: io.kestra.plugin.core.debug.Return, format: x}}}}\n" for number in range(40)
)

POLLED = """\
id: {id}
namespace: ui.tests
tasks:
  - id: greet
    type: io.kestra.plugin.core.log.Log
    message: it answered
triggers:
  - id: ask
    type: io.kestra.plugin.core.http.Trigger
    uri: http://127.0.0.1:9/closed
    interval: PT1S
"""

FILES = """\
id: {id}
namespace: ui.tests
tasks:
  - id: write
    type: io.kestra.plugin.core.storage.Write
    content: |
      {{"fruit": "apples", "count": 3}}
      {{"fruit": "oranges", "count": 4}}
    extension: .jsonl
"""

SCHEDULED = """\
id: {id}
namespace: ui.tests
tasks:
  - id: say
    type: io.kestra.plugin.core.log.Log
    message: "{{{{ trigger.date }}}}"
triggers:
  - id: yearly
    type: io.kestra.plugin.core.trigger.Schedule
    cron: "0 0 1 1 *"
"""

STEPS = """\
id: {id}
namespace: ui.tests
tasks:
  - id: first
    type: io.kestra.plugin.core.debug.Return
    format: one
  - id: second
    type: io.kestra.plugin.core.debug.Return
    format: "{{{{ outputs.first.value }}}} two"
  - id: third
    type: io.kestra.plugin.core.debug.Return
    format: "{{{{ outputs.second.value }}}} three"
"""

WEBHOOK = """\
id: {id}
namespace: ui.tests
tasks:
  - id: say
    type: io.kestra.plugin.core.log.Log
    message: called
triggers:
  - id: hook
    type: io.kestra.plugin.core.trigger.Webhook
    key: k3y-of-the-hook
"""

LISTENING = """\
id: {id}
namespace: ui.tests
tasks:
  - id: say
    type: io.kestra.plugin.core.log.Log
    message: both ended
triggers:
  - id: after_both
    type: io.kestra.plugin.core.trigger.Flow
    preconditions:
      id: both
      flows:
        - namespace: ui.tests
          flowId: upstream
          states: [SUCCESS]
        - namespace: ui.tests
          flowId: not_there_yet
          states: [SUCCESS]
"""
