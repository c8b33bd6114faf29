/** The flow a new editor starts with: an input, two tasks, an output passed on. */
export function helloFlow(namespace: string): string {
  return `id: hello
namespace: ${namespace}
description: Greets someone and keeps the greeting.

inputs:
  - id: name
    type: STRING
    defaults: world

tasks:
  - id: greeting
    type: io.kestra.plugin.core.debug.Return
    format: Hello, {{ inputs.name }}!

  - id: say
    type: io.kestra.plugin.core.log.Log
    message: "{{ outputs.greeting.value }}"
`;
}
