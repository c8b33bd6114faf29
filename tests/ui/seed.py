"""Fills a server with what a busy team would have: what the pages show is judged by such data, not by three greetings.

To look at the interface oneself: start a server, then `python -m tests.ui.seed http://localhost:8080 USER PASSWORD`.
"""

from __future__ import annotations

import sys

import httpx

from tests.ui.flows import CHECKED, COLOURED, FAILING, FILES, HELLO, INPUTS, LISTENING, MEASURED, QUEUED
from tests.ui.server import Server

LONG = "company.data-platform.warehouse.ingestion.external-partners.emea"
"""A namespace as long as people make them."""
LONG_NAME = "synchronise_contracts_and_master_data_of_external_partners"

ORDERS = """\
id: orders_of_the_day
namespace: company.shop
description: |
  Loads the orders of the day, **cleans** them and tells the shops.
labels:
  team: sales
  cost-centre: "4711"
  criticality: high
inputs:
  - id: country
    type: SELECT
    values: [DE, FR, IT, ES]
    defaults: DE
  - id: day
    type: DATE
    required: false
variables:
  bucket: orders-raw
tasks:
  - id: extract
    type: io.kestra.plugin.core.debug.Return
    description: Reads the export of the *shop*.
    format: "orders of {{ inputs.country }}"
  - id: check
    type: io.kestra.plugin.core.flow.If
    condition: "{{ inputs.country == 'DE' }}"
    then:
      - id: regions
        type: io.kestra.plugin.core.flow.Parallel
        tasks:
          - id: north
            type: io.kestra.plugin.core.log.Log
            message: "the north: {{ outputs.extract.value }}"
          - id: south
            type: io.kestra.plugin.core.log.Log
            message: the south
            level: WARN
    else:
      - id: abroad
        type: io.kestra.plugin.core.log.Log
        message: abroad
  - id: report
    type: io.kestra.plugin.core.flow.Subflow
    namespace: ui.tests
    flowId: greeted
    wait: true
outputs:
  - id: loaded
    type: STRING
    value: "{{ outputs.extract.value }}"
triggers:
  - id: every_morning
    type: io.kestra.plugin.core.trigger.Schedule
    cron: "0 6 * * *"
    timezone: Europe/Berlin
errors:
  - id: alarm
    type: io.kestra.plugin.core.log.Log
    message: the load failed
    level: ERROR
"""

LONG_NAMED = f"""\
id: {LONG_NAME}
namespace: {LONG}
description: Takes over contracts, price lists and addresses of all partners into the warehouse, from their folders.
labels:
  data-classification: confidential
  owner: international-master-data-management
tasks:
  - id: read_the_contracts_of_every_partner_from_the_exchange_folder
    type: io.kestra.plugin.core.log.Log
    message: "nothing new in /mnt/exchange/partners/emea/contracts/incoming/2026/11/21/and_a_path_without_any_blank"
  - id: write_them_to_the_warehouse
    type: io.kestra.plugin.core.execution.Fail
    errorMessage: "The table warehouse.emea.partner_contracts_of_this_year refused 12 of 4,711 rows: no valid_until"
triggers:
  - id: every_five_minutes_during_office_hours_on_working_days
    type: io.kestra.plugin.core.trigger.Schedule
    cron: "*/5 8-18 * * 1-5"
    disabled: true
"""

WAITING = """\
id: release
namespace: company.shop
labels: {team: web}
tasks:
  - id: build
    type: io.kestra.plugin.core.debug.Return
    format: "2.4.1"
  - id: approval
    type: io.kestra.plugin.core.flow.Pause
    onResume:
      - id: approved
        type: BOOL
        defaults: true
        description: Whether it may go live.
      - id: reason
        type: STRING
        required: false
  - id: publish
    type: io.kestra.plugin.core.log.Log
    message: published
"""

SLEEPING = """\
id: train_model
namespace: company.science
tasks:
  - id: prepare
    type: io.kestra.plugin.core.log.Log
    message: 12 epochs
  - id: train
    type: io.kestra.plugin.core.flow.Sleep
    duration: PT2H
"""

LOOPED = """\
id: each_customer
namespace: company.science
tasks:
  - id: each
    type: io.kestra.plugin.core.flow.ForEach
    concurrencyLimit: 0
    values: "{{ range(1, %d) }}"
    tasks:
      - id: score
        type: io.kestra.plugin.core.debug.Return
        format: "customer {{ taskrun.value }}"
"""

DASHBOARD = """\
id: shop
title: The shop's mornings
description: How the loads of the shop went.
timeWindow: {default: P7D, max: P365D}
charts:
  - id: by_day
    type: io.kestra.plugin.core.dashboard.chart.TimeSeries
    chartOptions: {displayName: Executions a day, width: 8, column: date, colorByColumn: state}
    data:
      type: io.kestra.plugin.core.dashboard.data.Executions
      columns:
        date: {field: START_DATE, displayName: Date}
        state: {field: STATE}
        total: {displayName: Executions, agg: COUNT, graphStyle: BARS}
  - id: states
    type: io.kestra.plugin.core.dashboard.chart.Pie
    chartOptions: {displayName: States, width: 4, colorByColumn: state, graphStyle: DONUT}
    data:
      type: io.kestra.plugin.core.dashboard.data.Executions
      columns:
        state: {field: STATE}
        total: {agg: COUNT}
  - id: flows
    type: io.kestra.plugin.core.dashboard.chart.Table
    chartOptions: {displayName: Flows, width: 12}
    data:
      type: io.kestra.plugin.core.dashboard.data.Executions
      columns:
        flow: {field: FLOW_ID, displayName: Flow}
        namespace: {field: NAMESPACE, displayName: Namespace}
        total: {displayName: Executions, agg: COUNT}
"""

ASSET = "{id: orders, type: Table, metadata: {system: postgres}}"
SUITE = """\
id: greetings
namespace: ui.tests
flowId: greeted
testCases:
  - id: fails
    type: io.kestra.core.tests.flow.UnitTest
    assertions:
      - {value: "{{ execution.state }}", equalTo: SUCCESS}
"""
PAIRS = {
    "greeting": ('"Hello"', None),
    "retries": ("3", None),
    "rate": ("0.19", None),
    "enabled": ("true", None),
    "cut_off": ('"2026-11-21"', None),
    "last_load": ('"2026-11-21T06:00:00Z"', "PT48H"),
    "patience": ('"PT15M"', None),
    "address_of_the_exchange_folder_of_all_external_partners": (
        '"sftp://exchange.example.com/partners/emea/contracts"',
        None,
    ),
    "customer": ('{"name": "Ada", "orders": [1, 2, 3], "address": {"city": "Hamburg"}}', None),
}
SMALL = {
    "greeted": HELLO,
    "nightly_import": FAILING,
    "deliver": INPUTS,
    "adults_only": CHECKED,
    "painted": COLOURED,
    "measured": MEASURED,
    "written": FILES,
    "one_at_a_time": QUEUED,
    "waits_for_both": LISTENING,
}
FILES_OF_NAMESPACE = {
    "README.md": "# Orders\n\nWhat belongs to the loads of the day.\n",
    "sql/orders.sql": "select *\nfrom orders\nwhere day = current_date\n",
    "sql/customers.sql": "select 1\n",
    "scripts/clean.py": "import sys\n\n\ndef main() -> None:\n    print(sys.argv)\n\n\nmain()\n",
    "a/folder/in/a/folder/very_long_name_of_a_file_that_nobody_would_type_by_hand.csv": "id,name\n1,Ada\n",
}


def seed(server: Server, values: int = 30) -> dict[str, str]:
    """Create flows, executions of every kind, pairs, files and a dashboard; return executions by what they show."""
    for flow_id, source in SMALL.items():
        server.create_flow(source.format(id=flow_id))
    for source in (ORDERS, LONG_NAMED, WAITING, SLEEPING, LOOPED % values):
        server.create_flow(source)
    _keep(server)
    ended = ("greeted", "nightly_import", "painted", "measured", "written")
    shown = {flow_id: server.execute("ui.tests", flow_id) for flow_id in ended}
    shown["orders"] = server.execute("company.shop", "orders_of_the_day")
    shown["long"] = server.execute(LONG, LONG_NAME)
    shown["loop"] = server.execute("company.science", "each_customer")
    shown["paused"] = server.execute("company.shop", "release", wait=False)
    shown["running"] = server.execute("company.science", "train_model", wait=False)
    shown["killed"] = server.execute("company.science", "train_model", wait=False)
    server.client.delete(f"/api/v1/main/executions/{shown['killed']}/kill").raise_for_status()
    server.execute("ui.tests", "one_at_a_time", wait=False)
    shown["queued"] = server.execute("ui.tests", "one_at_a_time", wait=False)
    return shown


def _keep(server: Server) -> None:
    """Store pairs, files, an asset, a test suite, a blueprint and a dashboard."""
    for key, (value, ttl) in PAIRS.items():
        headers = {"Content-Type": "application/json"} | ({"ttl": ttl} if ttl else {})
        path = f"/api/v1/main/namespaces/company.shop/kv/{key}"
        server.client.put(path, content=value, headers=headers).raise_for_status()
    for path, content in FILES_OF_NAMESPACE.items():
        address = "/api/v1/main/namespaces/company.shop/files"
        upload = {"fileContent": (path.rsplit("/", 1)[-1], content)}
        server.client.post(address, params={"path": f"/{path}"}, files=upload).raise_for_status()
    for kind, body in (("assets", ASSET), ("tests", SUITE), ("tests/ui.tests/greetings/run", "")):
        server.client.post(f"/api/v1/main/{kind}", content=body)
    blueprint = {"title": "Orders", "source": ORDERS, "tags": ["sales"]}
    server.client.post("/api/v1/main/blueprints/custom", json=blueprint).raise_for_status()
    yaml = {"Content-Type": "application/x-yaml"}
    if server.client.get("/api/v1/main/dashboards/shop").status_code == 404:
        server.client.post("/api/v1/main/dashboards", content=DASHBOARD, headers=yaml).raise_for_status()


if __name__ == "__main__":
    _url, _user, _password = sys.argv[1:4]
    with httpx.Client(base_url=_url, auth=(_user, _password), timeout=120) as _client:
        print(seed(Server(_url, _client), values=1000))
