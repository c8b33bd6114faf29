"""What the client does in version 1.0.10; run with that version alone, told the server and its account."""

from __future__ import annotations

import json
import sys
from typing import Any

from kestrapy import Configuration, KestraClient  # type: ignore[attr-defined]
from kestrapy.exceptions import UnauthorizedException

host, username, password, flow = sys.argv[1:]
client: Any = KestraClient(Configuration(host=host, username=username, password=password))
told: dict[str, Any] = {}

made = client.flows.create_flow(tenant="main", body=flow)
told["flow"] = (made.id, made.revision)
page = client.flows.search_flows(page=1, size=1000, tenant="main")
told["found"] = [one.id for one in page.results if one.namespace == made.namespace]
ended = client.executions.create_execution(
    namespace=made.namespace, id=made.id, wait=True, tenant="main", additional_form_datas={"name": "Ann"}
)
told["execution"] = (ended.state.current, ended.outputs)
started = client.executions.create_execution(
    namespace=made.namespace, id=made.id, wait=False, tenant="main", additional_form_datas={"name": "Bob"}
)
told["followed"] = list(client.executions.follow_execution(started.id, "main"))[-1]["state"]["current"]
client.kv.set_key_value(namespace=made.namespace, key="pair", tenant="main", body='"value"')
told["pair"] = client.kv.key_value(namespace=made.namespace, key="pair", tenant="main").value
told["namespaces"] = client.flows.list_distinct_namespaces(tenant="main", q=made.namespace)
try:
    client.flows.search_concurrency_limits(tenant="main")
except UnauthorizedException:
    told["limits"] = "refused"
print(json.dumps(told))
