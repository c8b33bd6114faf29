"""Flows the API's tests use."""

HELLO = """\
# a comment that stays
id: hello
namespace: team
labels:
  owner: ada
tasks:
  - id: greet
    type: io.kestra.plugin.core.log.Log
    message: Hello
"""

GREETING = """\
id: greeting
namespace: team
inputs:
  - id: name
    type: STRING
    defaults: World
  - id: times
    type: INT
    defaults: 1
    min: 1
tasks:
  - id: make
    type: io.kestra.plugin.core.debug.Return
    format: "Hello {{ inputs.name }}"
outputs:
  - id: greeting
    type: STRING
    value: "{{ outputs.make.value }}"
"""

SLEEPY = """\
id: sleepy
namespace: team
tasks:
  - id: nap
    type: io.kestra.plugin.core.flow.Sleep
    duration: PT30S
"""

PAUSED = """\
id: paused
namespace: team
tasks:
  - id: wait
    type: io.kestra.plugin.core.flow.Pause
  - id: after
    type: io.kestra.plugin.core.log.Log
    message: on it goes
"""

FAILING = """\
id: failing
namespace: team
tasks:
  - id: fail
    type: io.kestra.plugin.core.execution.Fail
"""

HOOKED = """\
id: hooked
namespace: team
triggers:
  - id: hook
    type: io.kestra.plugin.core.trigger.Webhook
    key: abc123
tasks:
  - id: show
    type: io.kestra.plugin.core.debug.Return
    format: "{{ trigger.body.who ?? 'nobody' }}"
"""
