"""The official client's methods for test suites (API-122).

Its models want the values of assertions to be maps, which no server gives; so it is not held to them here.
"""

from __future__ import annotations

import pytest
from kestrapy import KestraClient
from kestrapy.exceptions import NotFoundException
from kestrapy.models.test_suite_controller_search_tests_last_result import (
    TestSuiteControllerSearchTestsLastResult as LastOf,
)
from kestrapy.models.test_suite_controller_test_suite_api_id import TestSuiteControllerTestSuiteApiId as SuiteId
from kestrapy.models.test_suite_controller_test_suite_bulk_request import (
    TestSuiteControllerTestSuiteBulkRequest as Suites,
)
from kestrapy.models.test_suite_service_run_by_query_request import TestSuiteServiceRunByQueryRequest as Query

from tests.sdk_client.conftest import TENANT

NAMESPACE = "sdk.suites"
FLOW = f"""id: tested
namespace: {NAMESPACE}
tasks:
  - {{id: made, type: io.kestra.plugin.core.debug.Return, format: hello}}
"""
SUITE = f"""id: suite
namespace: {NAMESPACE}
flowId: tested
testCases:
  - id: says
    type: io.kestra.core.tests.flow.UnitTest
    assertions:
      - {{value: "{{{{ outputs.made.value }}}}", equalTo: hello}}
"""


def test_suite_is_kept_run_and_deleted(client: KestraClient) -> None:
    """API-122, API-201."""
    api, names = client.test_suites, Suites(ids=[SuiteId(namespace=NAMESPACE, id="suite")])
    client.flows.create_flow(TENANT, FLOW)
    assert api.validate_test_suite(TENANT, SUITE).constraints is None
    assert api.create_test_suite(TENANT, SUITE).source == SUITE
    assert api.update_test_suite(NAMESPACE, "suite", TENANT, SUITE + "description: more\n").description == "more"
    result = api.run_test_suite(NAMESPACE, "suite", TENANT)
    assert (result.test_suite_id, result.state) == ("suite", "SUCCESS")
    ran = api.run_test_suites_by_query(TENANT, Query(namespace=NAMESPACE, includeChildNamespaces=False))
    assert ran.number_of_test_cases_to_be_run == 1
    page = api.search_test_suites_results(TENANT, namespace=NAMESPACE, page=1, size=5)
    assert (len(page.results), page.total) == (2, 2)
    assert api.test_result(result.id, TENANT).flow_id == "tested"
    last = api.tests_last_result(TENANT, LastOf(testSuiteIds=names.ids))
    assert len(last.results) == 1
    assert api.disable_test_suites_by_ids(TENANT, names).count == 1
    assert api.test_suite(NAMESPACE, "suite", TENANT).disabled is True
    assert api.enable_test_suites_by_ids(TENANT, names).count == 1
    assert [one.id for one in api.search_test_suites(TENANT, namespace=NAMESPACE).results] == ["suite"]
    api.delete_test_suite(NAMESPACE, "suite", TENANT)
    api.create_test_suite(TENANT, SUITE)
    assert api.delete_test_suites_by_ids(TENANT, names).count == 1
    with pytest.raises(NotFoundException):
        api.test_suite(NAMESPACE, "suite", TENANT)
