"""Flows the client's tests use."""

HELLO = """\
id: hello
namespace: NAMESPACE
labels:
  owner: ada
inputs:
  - id: name
    type: STRING
    defaults: World
tasks:
  - id: greet
    type: io.kestra.plugin.core.debug.Return
    format: "Hello {{ inputs.name }}"
  - id: said
    type: io.kestra.plugin.core.log.Log
    message: "{{ outputs.greet.value }}"
outputs:
  - id: greeting
    type: STRING
    value: "{{ outputs.greet.value }}"
"""
FAILING = """\
id: failing
namespace: NAMESPACE
tasks:
  - {id: fail, type: io.kestra.plugin.core.execution.Fail}
"""
PAUSED = """\
id: paused
namespace: NAMESPACE
tasks:
  - {id: wait, type: io.kestra.plugin.core.flow.Pause}
  - {id: after, type: io.kestra.plugin.core.log.Log, message: on it goes}
"""
SLEEPY = """\
id: sleepy
namespace: NAMESPACE
tasks:
  - {id: nap, type: io.kestra.plugin.core.flow.Sleep, duration: PT60S}
"""
QUEUED = """\
id: queued
namespace: NAMESPACE
concurrency: {limit: 1, behavior: QUEUE}
tasks:
  - {id: nap, type: io.kestra.plugin.core.flow.Sleep, duration: PT60S}
"""
CALLER = """\
id: caller
namespace: NAMESPACE
tasks:
  - {id: call, type: io.kestra.plugin.core.flow.Subflow, namespace: NAMESPACE, flowId: hello}
"""
TIMED = """\
id: timed
namespace: NAMESPACE
triggers:
  - {id: yearly, type: io.kestra.plugin.core.trigger.Schedule, cron: "0 0 1 1 *"}
tasks:
  - {id: said, type: io.kestra.plugin.core.log.Log, message: now}
"""
HOOKED = """\
id: hooked
namespace: NAMESPACE
triggers:
  - {id: hook, type: io.kestra.plugin.core.trigger.Webhook, key: abc123}
tasks:
  - {id: said, type: io.kestra.plugin.core.log.Log, message: hooked}
"""
WRITER = """\
id: writer
namespace: NAMESPACE
tasks:
  - {id: write, type: io.kestra.plugin.core.storage.Write, content: "a,b", extension: .csv}
"""
