"""Formats in a flow of a real server: from a CSV file over its items to other files."""

from __future__ import annotations

import json

from tests.support.flows import CORE, RETURN, run_tasks
from tests.support.live import LiveServer

SERDES = "io.kestra.plugin.serdes."
ORDERS = "id,customer,total\n1,Ada,10.50\n2,Bob,3\n3,Eve,20\n"


async def test_csv_is_filtered_and_written_in_other_formats(server: LiveServer) -> None:
    """ENG-338, ENG-325, ENG-332."""
    ended = await run_tasks(
        server,
        {"id": "write", "type": f"{CORE}storage.Write", "content": ORDERS, "extension": ".csv"},
        {"id": "ion", "type": f"{SERDES}csv.CsvReader", "from": "{{ outputs.write.uri }}"},
        {
            "id": "large",
            "type": f"{CORE}storage.FilterItems",
            "from": "{{ outputs.ion.uri }}",
            "filterCondition": "{{ total | number > 5 }}",
        },
        {"id": "json", "type": f"{SERDES}json.IonToJson", "from": "{{ outputs.large.uri }}", "newLine": False},
        {"id": "csv", "type": f"{SERDES}csv.IonToCsv", "from": "{{ outputs.large.uri }}", "header": False},
        {"id": "avro", "type": f"{SERDES}avro.IonToAvro", "from": "{{ outputs.large.uri }}"},
        {"id": "back", "type": f"{SERDES}avro.AvroToIon", "from": "{{ outputs.avro.uri }}"},
        {
            "id": "show",
            "type": RETURN,
            "format": "{{ read(outputs.json.uri) }}|{{ read(outputs.csv.uri) }}|"
            "{{ fromIon(read(outputs.back.uri)).customer }}",
        },
    )
    assert ended.state == "SUCCESS", ended.messages
    as_json, as_csv, customer = ended.outputs["show"]["value"].split("|")
    assert json.loads(as_json) == [
        {"id": "1", "customer": "Ada", "total": "10.50"},
        {"id": "3", "customer": "Eve", "total": "20"},
    ]
    assert as_csv == "1,Ada,10.50\n3,Eve,20\n"
    assert customer == "Ada"


async def test_items_of_a_csv_are_given_to_flows_in_batches(server: LiveServer) -> None:
    """ENG-338, ENG-418."""
    child = {
        "id": "order",
        "namespace": "team",
        "inputs": [{"id": "items", "type": "FILE"}],
        "tasks": [{"id": "t", "type": RETURN, "format": "{{ fromIon(read(inputs.items)).customer }}"}],
        "outputs": [{"id": "customer", "type": "STRING", "value": "{{ outputs.t.value }}"}],
    }
    await server.services.flows.put("main", json.dumps(child))
    ended = await run_tasks(
        server,
        {"id": "write", "type": f"{CORE}storage.Write", "content": ORDERS},
        {"id": "ion", "type": f"{SERDES}csv.CsvToIon", "from": "{{ outputs.write.uri }}"},
        {
            "id": "each",
            "type": f"{CORE}flow.ForEachItem",
            "items": "{{ outputs.ion.uri }}",
            "batch": {"rows": 1},
            "namespace": "team",
            "flowId": "order",
            "inputs": {"items": "{{ taskrun.items }}"},
        },
    )
    assert ended.state == "SUCCESS", ended.messages
    found = await server.client.get("/api/v1/main/executions/search", params={"flowId": "order", "size": 10})
    customers = {one["outputs"]["customer"] for one in found.json()["results"]}
    assert customers == {"Ada", "Bob", "Eve"}
