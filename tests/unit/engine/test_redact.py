"""What belongs to the recording machine goes; what belongs to the image stays."""

from __future__ import annotations

from pathlib import Path

import pytest

from layerlab.engine.recorder import redact
from layerlab.engine.recorder.redact import PRIVATE_HOST, PUBLIC_HOSTS, Redactor, hosts_in

PROXY = "http://someone:secret@proxy.corp.internal:3128"
INDEX = "https://pypi.corp.internal/root/simple/"


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Redactor:
    monkeypatch.setenv("HTTPS_PROXY", PROXY)
    monkeypatch.setenv("PIP_INDEX_URL", INDEX)
    monkeypatch.setenv("LAYERLAB_DATA", str(tmp_path / "data"))
    monkeypatch.setattr(redact.socket, "gethostname", lambda: "ada-laptop")
    monkeypatch.setattr(redact.getpass, "getuser", lambda: "lovelace")
    return Redactor.of_this_machine(tmp_path / "store")


def test_a_configured_index_becomes_the_public_one(machine: Redactor):
    assert machine.text(f"Looking in indexes: {INDEX}") == "Looking in indexes: https://pypi.org/simple/"


def test_a_configured_host_goes_even_without_a_scheme(machine: Redactor):
    assert machine.text("Host: pypi.corp.internal") == f"Host: {PRIVATE_HOST}"


def test_any_other_address_that_is_not_public_goes(machine: Redactor):
    told = machine.text("GET https://files.elsewhere.net:8443/a.whl, then https://files.pythonhosted.org/b.whl")
    assert told == f"GET https://{PRIVATE_HOST}:8443/a.whl, then https://files.pythonhosted.org/b.whl"


def test_a_password_never_stays(machine: Redactor):
    for text in (PROXY, "https://user:hunter2@github.com/x", "https://user:hunter2@else.where/x"):
        told = machine.text(text)
        assert "hunter2" not in told and "secret" not in told
    assert machine.text("https://user:hunter2@github.com/x") == "https://github.com/x"


def test_paths_and_names_of_the_machine_go(machine: Redactor, tmp_path: Path):
    told = machine.text(f"{tmp_path}/data/engine/x and {tmp_path}/store/y by lovelace on ada-laptop")
    assert told == "<path>/engine/x and <path>/y by <user> on <host>"


def test_what_images_have_themselves_stays(machine: Redactor):
    for text in ("/root/.local/lib/python3.11", "/root/.cache/pip", "/tmp/x", "lovelaces", "/var/lib/docker", "vm"):
        assert machine.text(text) == text


def test_values_are_redacted_to_the_bottom_and_keep_their_shape(machine: Redactor):
    value = {"lovelace": [INDEX, 3, None, True, {"x": ("ada-laptop", 1.5)}]}
    assert machine.value(value) == {"<user>": ["https://pypi.org/simple/", 3, None, True, {"x": ["<host>", 1.5]}]}


def test_redacting_twice_changes_nothing_more(machine: Redactor):
    once = machine.text(f"{PROXY} {INDEX} https://other.example.net/x")
    assert machine.text(once) == once
    assert hosts_in(once) <= PUBLIC_HOSTS


def test_a_backslash_in_a_replacement_is_text():
    assert Redactor((("C:/Users/ada", r"<\1path>"),)).text("in C:/Users/ada/x") == r"in <\1path>/x"
