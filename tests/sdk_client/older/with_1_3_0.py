"""What the client does in version 1.3.0; run with that version alone, told the server and its account.

It has no way to give inputs, so that they are sent by its session.
"""

from __future__ import annotations

import json
import sys
from typing import Any

from kestrapy import KestraClient

host, username, password, flow = sys.argv[1:]
client: Any = KestraClient(host=host, username=username, password=password, timeout=90)
told: dict[str, Any] = {}

made = client.flows.create_flow("main", flow)
told["flow"] = (made.id, made.revision)
page = client.flows.search_flows("main", page=1, size=1000)
told["found"] = [one.id for one in page.results if one.namespace == made.namespace]
answer = client._session.post(
    f"{host}/api/v1/main/executions/{made.namespace}/{made.id}",
    params={"wait": "true"},
    files={"name": (None, "Ann")},
    timeout=90,
)
ended = client.executions.execution(answer.json()["id"], "main")
told["execution"] = (ended.state.current, ended.outputs)
started = client.executions.create_execution("main", made.namespace, made.id)
told["followed"] = list(client.executions.follow_execution(started.id, "main"))[-1].state.current
client.kv.set_key_value(made.namespace, "pair", "main", '"value"')
told["pair"] = client.kv.key_value(made.namespace, "pair", "main").value
told["namespaces"] = client.flows.list_distinct_namespaces("main", q=made.namespace)
told["limits"] = client.flows.search_concurrency_limits("main").total
client.close()
print(json.dumps(told))
