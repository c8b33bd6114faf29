"""The official client's methods for namespaces, their files and their key-value pairs (API-105 to API-107)."""

from __future__ import annotations

import io
import zipfile

import pytest
from kestrapy.exceptions import ConflictException, NotFoundException
from kestrapy.models.api_autocomplete import ApiAutocomplete
from kestrapy.models.api_secret_meta_ee import ApiSecretMetaEE
from kestrapy.models.api_secret_tag import ApiSecretTag
from kestrapy.models.api_secret_value import ApiSecretValue
from kestrapy.models.kv_controller_api_delete_bulk_request import KVControllerApiDeleteBulkRequest
from kestrapy.models.namespace import Namespace
from kestrapy.models.plugin_default import PluginDefault

from tests.sdk_client.conftest import TENANT, Sdk
from tests.sdk_client.flows import HELLO

LOG = "io.kestra.plugin.core.log.Log"


def test_namespace_is_created_updated_and_deleted(sdk: Sdk) -> None:
    """API-105, API-042."""
    wanted = Namespace(id=sdk.namespace, deleted=False, description="Tests")
    assert sdk.api.namespaces.create_namespace(TENANT, wanted).description == "Tests"
    with pytest.raises(ConflictException):
        sdk.api.namespaces.create_namespace(TENANT, wanted)
    changed = Namespace(id=sdk.namespace, deleted=False, description="More")
    assert sdk.api.namespaces.update_namespace(sdk.namespace, TENANT, changed).description == "More"
    assert sdk.api.namespaces.namespace(sdk.namespace, TENANT).description == "More"
    sdk.api.namespaces.delete_namespace(sdk.namespace, TENANT)
    with pytest.raises(NotFoundException):
        sdk.api.namespaces.namespace(sdk.namespace, TENANT)


def test_search_namespaces_and_autocomplete_find_it(sdk: Sdk) -> None:
    sdk.flow(HELLO)
    page = sdk.api.namespaces.search_namespaces(TENANT, q=sdk.namespace, page=1, size=5, sort=["id:asc"], existing=True)
    assert ([one.id for one in page.results], page.total) == ([sdk.namespace], 1)
    found = sdk.api.namespaces.autocomplete_namespaces(TENANT, ApiAutocomplete(q=sdk.namespace))
    assert found == [sdk.namespace]


def test_inherited_settings_come_from_above(sdk: Sdk) -> None:
    above = sdk.namespace.partition(".")[0]
    default = PluginDefault(type=LOG, values={"level": "WARN"}, forced=False)
    body = {"id": above, "deleted": False, "variables": {"who": "all"}, "pluginDefaults": [default.to_dict()]}
    sdk.api.namespaces._request("POST", f"/api/v1/{TENANT}/namespaces", body=body)
    assert sdk.api.namespaces.inherited_variables(sdk.namespace, TENANT) == {"who": "all"}
    [found] = sdk.api.namespaces.inherited_plugin_defaults(sdk.namespace, TENANT)
    assert (found.namespace, found.type, found.values) == (above, LOG, {"level": "WARN"})


def test_plugin_defaults_are_exported_and_imported(sdk: Sdk) -> None:
    body = {"id": sdk.namespace, "pluginDefaults": [{"type": LOG, "values": {"level": "WARN"}}]}
    sdk.api.namespaces._request("POST", f"/api/v1/{TENANT}/namespaces", body=body)
    text = sdk.api.namespaces.export_plugin_defaults(sdk.namespace, TENANT)
    assert LOG in text.decode()
    other = f"{sdk.namespace}.other"
    assert sdk.api.namespaces.import_plugin_defaults(other, TENANT, text) == [LOG]
    assert sdk.api.namespaces.namespace(other, TENANT).plugin_defaults[0].values == {"level": "WARN"}


def test_secrets_are_set_named_and_never_told(sdk: Sdk) -> None:
    """API-105, ENG-374."""
    api, tag = sdk.api.namespaces, ApiSecretTag(key="owner", value="ops")
    given = ApiSecretValue(key="TOKEN", value="hidden-value", description="For the shop", tags=[tag])
    [kept] = api.put_secrets(sdk.namespace, TENANT, given)
    assert (kept.key, kept.namespace, kept.description, kept.tags) == ("TOKEN", sdk.namespace, "For the shop", [tag])
    [kept] = api.patch_secret(sdk.namespace, "TOKEN", TENANT, ApiSecretMetaEE(key="TOKEN", tags=[]))
    assert (kept.description, kept.tags) == (None, [])
    found = api.list_secrets(TENANT, page=1, size=10, filters=sdk.here)
    assert (found.read_only, found.total, found.results[0].key) == (False, 1, "TOKEN")
    assert api.inherited_secrets(f"{sdk.namespace}.below", TENANT) == {sdk.namespace: ["TOKEN"]}
    api.delete_secret(sdk.namespace, "TOKEN", TENANT)
    assert api.list_secrets(TENANT, filters=sdk.here).total == 0


def test_key_value_is_set_read_and_deleted(sdk: Sdk) -> None:
    """API-107, API-040."""
    kv = sdk.api.kv
    for key, body, kind, value in (
        ("text", '"hello"', "STRING", "hello"),
        ("number", "4.5", "NUMBER", 4.5),
        ("flag", "true", "BOOLEAN", True),
        ("map", '{"a": [1]}', "JSON", {"a": [1]}),
        ("length", "PT5M", "DURATION", "PT5M"),
    ):
        kv.set_key_value(sdk.namespace, key, TENANT, body)
        found = kv.key_value(sdk.namespace, key, TENANT)
        assert (found.type.value, found.value) == (kind, value)
    assert kv.delete_key_value(sdk.namespace, "text", TENANT) is True
    assert kv.delete_key_value(sdk.namespace, "text", TENANT) is False
    with pytest.raises(NotFoundException):
        kv.key_value(sdk.namespace, "text", TENANT)


def test_keys_are_listed_with_those_from_above(sdk: Sdk) -> None:
    above = sdk.namespace.partition(".")[0]
    sdk.api.kv.set_key_value(above, "high", TENANT, "1")
    sdk.api.kv.set_key_value(sdk.namespace, "low", TENANT, "2")
    page = sdk.api.kv.list_all_keys(TENANT, page=1, size=5, sort=["key:asc"], filters=sdk.here)
    assert [(one.key, one.version) for one in page.results] == [("low", 1)]
    # Those of the namespace itself are not inherited.
    assert {one.key for one in sdk.api.kv.list_keys_with_inheritance(sdk.namespace, TENANT)} >= {"high"}


def test_delete_key_values_names_those_there_were(sdk: Sdk) -> None:
    sdk.api.kv.set_key_value(sdk.namespace, "one", TENANT, "1")
    request = KVControllerApiDeleteBulkRequest(keys=["one", "two"])
    assert sdk.api.kv.delete_key_values(sdk.namespace, TENANT, request).keys == ["one"]


def test_namespace_files_are_written_read_and_moved(sdk: Sdk) -> None:
    """API-106."""
    files = sdk.api.files
    files.create_namespace_directory(sdk.namespace, TENANT, "docs")
    files.create_namespace_file(sdk.namespace, "docs/a.txt", TENANT, b"first")
    files.create_namespace_file(sdk.namespace, "docs/a.txt", TENANT, b"second")
    assert files.file_content(sdk.namespace, "docs/a.txt", TENANT) == b"second"
    assert files.file_content(sdk.namespace, "docs/a.txt", TENANT, revision=0) == b"first"
    assert len(files.file_revisions(sdk.namespace, TENANT, "docs/a.txt")) == 2
    about = files.file_metadatas(sdk.namespace, TENANT, "docs/a.txt")
    assert (about.file_name, about.size, about.type.value) == ("a.txt", 6, "File")
    assert [one.file_name for one in files.list_namespace_directory_files(sdk.namespace, TENANT, "docs")] == ["a.txt"]
    files.move_file_directory(sdk.namespace, "/docs/a.txt", "/docs/b.txt", TENANT)
    assert files.search_namespace_files(sdk.namespace, "b.t", TENANT) == ["/docs/b.txt"]
    with zipfile.ZipFile(io.BytesIO(files.export_namespace_files(sdk.namespace, TENANT))) as archive:
        assert archive.read("docs/b.txt") == b"second"
    files.delete_file_directory(sdk.namespace, "docs", TENANT)
    with pytest.raises(NotFoundException):
        files.file_content(sdk.namespace, "docs/b.txt", TENANT)


@pytest.mark.parametrize("path", ["../secret", "/../../etc/passwd", "a/../../b", "..\\b", "%2e%2e/b", "a\x00b"])
def test_path_of_a_file_never_leaves_its_namespace(sdk: Sdk, path: str) -> None:
    files = sdk.api.files
    for call in (
        lambda: files.file_content(sdk.namespace, path, TENANT),
        lambda: files.file_metadatas(sdk.namespace, TENANT, path),
        lambda: files.delete_file_directory(sdk.namespace, path, TENANT),
        lambda: files.move_file_directory(sdk.namespace, "/x", path, TENANT),
    ):
        with pytest.raises(Exception, match=r"\((400|404|422)\)"):
            call()
