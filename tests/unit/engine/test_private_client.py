"""What a terminal of the course is told of the private engine, and the folder of its docker command. No engine."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from layerlab.engine import private
from layerlab.engine.private import places


@pytest.fixture
def where(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> places.Paths:
    """A data folder with our two plugins, and a home whose owner uses Docker."""
    monkeypatch.setenv("LAYERLAB_DATA", str(tmp_path / "d"))
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    found = private.paths()
    for folder, names in {
        found.plugins: ("docker-buildx", "docker-compose"),
        tmp_path / "home/.docker/cli-plugins": ("docker-buildx", "docker-scout"),
        tmp_path / "home/.docker/contexts": ("meta",),
        tmp_path / "home/.docker/buildx": ("current",),
    }.items():
        folder.mkdir(parents=True)
        for name in names:
            (folder / name).write_text(str(folder))
    credentials = {"auths": {"registry.example": {"auth": "c2VjcmV0"}}}
    (tmp_path / "home/.docker/config.json").write_text(json.dumps(credentials))
    return found


def test_a_terminal_finds_engine_programs_and_plugins(where: places.Paths) -> None:
    told = private.variables({"PATH": "/usr/local/bin:/bin"})
    assert told["DOCKER_HOST"] == where.url and told["DOCKER_CONFIG"] == str(where.client)
    assert told["PATH"].split(":") == [f"{where.programs}/usr/bin", "/usr/local/bin", "/bin"]
    plugins = {path.name: path.read_text() for path in (where.client / "cli-plugins").iterdir()}
    assert plugins.keys() == {"docker-buildx", "docker-compose", "docker-scout"}
    assert plugins["docker-buildx"] == str(where.plugins), "ours before the user's"


def test_the_users_credentials_are_read_through_a_link_and_their_folder_is_not_touched(
    where: places.Paths, tmp_path: Path
) -> None:
    user = tmp_path / "home/.docker"
    before = {path: path.stat().st_mtime_ns for path in (user, *user.rglob("*"))}
    private.variables({})
    config = where.client / "config.json"
    assert config.is_symlink() and "registry.example" in json.loads(config.read_text())["auths"]
    assert where.client.stat().st_mode & 0o077 == 0
    assert not (where.client / "buildx").exists(), "what buildx writes goes into ours"
    assert {path: path.stat().st_mtime_ns for path in (user, *user.rglob("*"))} == before


def test_inside_such_a_terminal_all_stays_the_same(where: places.Paths) -> None:
    told = private.variables({"PATH": "/bin"})
    assert private.variables(told) == told
    assert (where.client / "config.json").exists()


def test_another_folder_of_the_users_is_used(where: places.Paths, tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    (tmp_path / "other/config.json").write_text("{}")
    private.variables({"DOCKER_CONFIG": str(tmp_path / "other")})
    assert (where.client / "config.json").readlink() == tmp_path / "other/config.json"


def test_a_login_without_a_folder_of_the_users_stays_in_ours(where: places.Paths, tmp_path: Path) -> None:
    nobody = {"DOCKER_CONFIG": str(tmp_path / "none")}
    private.variables(nobody)
    (where.client / "config.json").write_text("{}")
    private.variables(nobody)
    assert (where.client / "config.json").read_text() == "{}"


def test_what_points_the_docker_command_elsewhere_is_emptied(where: places.Paths) -> None:
    told = private.variables({"DOCKER_TLS_VERIFY": "1", "BUILDX_BUILDER": "far", "DOCKER_CONTEXT": "mine"})
    assert (told["DOCKER_TLS_VERIFY"], told["BUILDX_BUILDER"]) == ("", "")
    assert "DOCKER_TLS_VERIFY" not in private.variables({})
