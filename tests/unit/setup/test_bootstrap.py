"""The bootstrap: when an environment is made, when it is left alone, and what is said where none can be made."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import threading
import time
import venv
from collections.abc import Sequence
from pathlib import Path

import pytest

from layerlab.errors import SetupError
from layerlab.setup import bootstrap, environment, install, steps
from layerlab.setup.indexes import translate, uv_environment
from layerlab.setup.lock import only_one

CHECKOUT = Path(__file__).parents[3]


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A checkout whose one requirement is met nowhere."""
    folder = tmp_path / "checkout"
    folder.mkdir()
    (folder / "pyproject.toml").write_text(
        '[project]\nname = "layerlab-made-up"\ndependencies = ["nowhere-to-be-found>=1.2"]\n'
        '[project.optional-dependencies]\ntest = ["pytest>=1"]\n'
    )
    return folder


class Installer:
    """Stands in for uv and pip: makes what an environment needs to be recognised, and counts."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, ...]] = []
        self.error: BaseException | None = None
        self.seconds = 0.0

    def __call__(self, home: Path, checkout: Path, *, extras: tuple[str, ...]) -> None:
        self.calls.append(extras)
        time.sleep(self.seconds)
        version = ".".join(map(str, sys.version_info[:3]))
        (home / "pyvenv.cfg").write_text(f"home = /usr\nversion = {version}\n")
        python = install.python_of(home)
        python.parent.mkdir(exist_ok=True)
        python.touch()
        if self.error:
            raise self.error


@pytest.fixture
def installer(monkeypatch: pytest.MonkeyPatch) -> Installer:
    made = Installer()
    monkeypatch.setattr(environment, "install", made)
    return made


@pytest.fixture
def commands(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """The commands that would be run, none of which is."""
    seen: list[list[str]] = []

    def note(title: str, command: Sequence[str | Path], **_: object) -> tuple[str, ...]:
        seen.append([str(part) for part in command])
        return ()

    monkeypatch.setattr(steps, "run", note)
    return seen


# --- making and keeping ----------------------------------------------------------------------


def test_a_finished_environment_is_ready_and_is_not_made_again(checkout: Path, installer: Installer) -> None:
    home = checkout / ".venv"

    environment.prepare(home, checkout)
    environment.prepare(home, checkout)

    assert environment.is_ready(home, checkout)
    assert installer.calls == [()]


def test_a_change_of_pyproject_updates_it_in_place(checkout: Path, installer: Installer) -> None:
    home = checkout / ".venv"
    environment.prepare(home, checkout)
    (home / "kept").touch()

    with (checkout / "pyproject.toml").open("a") as file:
        file.write("# changed\n")

    assert not environment.is_ready(home, checkout)
    environment.prepare(home, checkout)
    assert environment.is_ready(home, checkout)
    assert (home / "kept").exists()


def test_extras_are_added_and_never_taken_away(checkout: Path, installer: Installer) -> None:
    home = checkout / ".venv"
    environment.prepare(home, checkout)
    assert not environment.is_ready(home, checkout, extras=("test",))

    environment.prepare(home, checkout, extras=("test",))
    with (checkout / "pyproject.toml").open("a") as file:
        file.write("# changed\n")
    environment.prepare(home, checkout)

    assert installer.calls == [(), ("test",), ("test",)]
    assert environment.is_ready(home, checkout, extras=("test",))


@pytest.mark.parametrize("interruption", [KeyboardInterrupt(), SetupError("No space left.")])
def test_an_interrupted_environment_starts_afresh(
    checkout: Path, installer: Installer, interruption: BaseException
) -> None:
    home = checkout / ".venv"
    installer.error = interruption
    with pytest.raises(type(interruption)):
        environment.prepare(home, checkout)
    assert not environment.is_ready(home, checkout)
    (home / "half-written").touch()

    installer.error = None
    environment.prepare(home, checkout)

    assert environment.is_ready(home, checkout)
    assert not (home / "half-written").exists()


def test_an_environment_of_the_users_is_filled_but_never_emptied(checkout: Path, installer: Installer) -> None:
    home = checkout / ".venv"
    home.mkdir()
    Installer()(home, checkout, extras=())
    (home / "theirs").touch()
    installer.error = SetupError("The index is down.")

    with pytest.raises(SetupError):
        environment.prepare(home, checkout)
    installer.error = None
    environment.prepare(home, checkout)

    assert (home / "theirs").exists()


@pytest.mark.parametrize("settings", ["version = 3.4.1\n", "version_info = 3.4.1\n"])
def test_the_users_environment_for_another_python_is_refused(
    checkout: Path, installer: Installer, settings: str
) -> None:
    home = checkout / ".venv"
    home.mkdir()
    (home / "pyvenv.cfg").write_text(settings)

    with pytest.raises(SetupError, match=r"belongs to another Python .* LAYERLAB_VENV"):
        environment.prepare(home, checkout)
    assert (home / "pyvenv.cfg").exists()


def test_our_environment_for_another_python_is_made_again(checkout: Path, installer: Installer) -> None:
    home = checkout / ".venv"
    environment.prepare(home, checkout)
    (home / "pyvenv.cfg").write_text("version = 3.4.1\n")
    (home / environment.MARKER).write_text(json.dumps({"key": "of old", "extras": []}))
    (home / "old").touch()

    environment.prepare(home, checkout)

    assert environment.is_ready(home, checkout)
    assert not (home / "old").exists()


def test_a_folder_that_is_no_environment_is_refused(checkout: Path, installer: Installer, tmp_path: Path) -> None:
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / "cat.jpg").touch()

    with pytest.raises(SetupError, match="no Python environment"):
        environment.prepare(tmp_path / "photos", checkout)
    assert (tmp_path / "photos" / "cat.jpg").exists()
    assert installer.calls == []


def test_two_at_once_make_it_once(checkout: Path, installer: Installer, capsys: pytest.CaptureFixture[str]) -> None:
    home = checkout / ".venv"
    installer.seconds = 0.3
    both = [threading.Thread(target=environment.prepare, args=(home, checkout)) for _ in range(2)]
    for thread in both:
        thread.start()
    for thread in both:
        thread.join()

    assert installer.calls == [()]
    assert "waiting for it" in capsys.readouterr().err


def test_the_lock_ends_with_a_holder_that_is_killed(tmp_path: Path) -> None:
    lock = tmp_path / "lock"
    program = (
        "import sys, time; from pathlib import Path; from layerlab.setup.lock import only_one\n"
        f"with only_one(Path({str(lock)!r})): print('held', flush=True); time.sleep(60)"
    )
    holder = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True, cwd=CHECKOUT)
    assert holder.stdout is not None
    assert holder.stdout.readline() == "held\n"
    holder.kill()
    holder.communicate()

    began = time.monotonic()
    with only_one(lock):
        assert time.monotonic() - began < 5


# --- where, and whether at all ---------------------------------------------------------------


def test_an_environment_that_has_everything_is_used_as_it_is(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    # As in conda or on Binder: this interpreter meets pyproject.toml, and .venv is somewhere else.
    monkeypatch.setenv("LAYERLAB_VENV", str(tmp_path / "not-made"))

    bootstrap.ensure(["lab"])

    assert not (tmp_path / "not-made").exists()


def test_an_installed_package_needs_no_environment(tmp_path: Path) -> None:
    bootstrap.ensure(["lab"], checkout=tmp_path)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(("verb", "extras"), [("test", ("test",)), ("check", ("test",)), ("lab", ()), ("test-x", ())])
def test_only_test_verbs_bring_the_test_tools(
    checkout: Path, installer: Installer, monkeypatch: pytest.MonkeyPatch, verb: str, extras: tuple[str, ...]
) -> None:
    moved: list[Sequence[str]] = []
    monkeypatch.setattr(bootstrap, "_move_into", lambda home, arguments: moved.append(arguments))

    bootstrap.ensure([verb, "--option"], checkout=checkout)

    assert installer.calls == [extras]
    assert moved == [[verb, "--option"]]


def test_an_environment_that_does_not_take_is_an_error_and_no_loop(
    checkout: Path, installer: Installer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bootstrap, "_move_into", lambda home, arguments: None)
    monkeypatch.setenv("LAYERLAB_MOVED_INTO", str(checkout / ".venv"))

    with pytest.raises(SetupError, match="does not use it"):
        bootstrap.ensure(["lab"], checkout=checkout)


def test_requirements_are_compared_by_release(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text(
        '[project]\nname = "pytest"\ndependencies = ["pytest>=1.0", "pytest>=9999", "pytest>=9999; os_name == \'x\'"]\n'
    )
    assert list(bootstrap.unmet(tmp_path)) == ["pytest>=9999"]


def test_a_requirement_the_bootstrap_cannot_read_is_named(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text('[project]\nname = "pytest"\ndependencies = ["pytest~=8.0"]\n')
    with pytest.raises(SetupError, match=r"pytest~=8\.0"):
        list(bootstrap.unmet(tmp_path))


def test_a_read_only_checkout_gets_its_environment_in_the_users_cache(
    checkout: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("LOCALAPPDATA", str(tmp_path / "cache"))
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("LAYERLAB_VENV", raising=False)
    assert bootstrap.environment_folder(checkout) == checkout / ".venv"

    monkeypatch.setattr(os, "access", lambda path, mode: False)

    assert bootstrap.environment_folder(checkout).is_relative_to(tmp_path)
    assert not bootstrap.environment_folder(checkout).is_relative_to(checkout)


def test_a_folder_that_cannot_be_made_is_an_error_with_a_way_out(checkout: Path, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(SetupError, match="LAYERLAB_VENV"):
        environment.prepare(tmp_path / "file" / "venv", checkout)


def test_a_bare_python_moves_into_the_environment_and_runs_the_verb(tmp_path: Path) -> None:
    base = getattr(sys, "_base_executable", sys.executable)
    copy = tmp_path / "checkout"
    shutil.copytree(CHECKOUT / "layerlab", copy / "layerlab", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(CHECKOUT / "pyproject.toml", copy)
    home = copy / ".venv"
    venv.create(home, symlinks=os.name != "nt")
    # What this environment holds stands in for what an installer would have put there.
    (site,) = home.glob("lib/python*/site-packages") if os.name != "nt" else home.glob("Lib/site-packages")
    (site / "all.pth").write_text("\n".join(path for path in sys.path if path.endswith("site-packages")))
    key = environment._key(copy)
    (home / environment.MARKER).write_text(json.dumps({"key": key, "extras": []}))

    done = subprocess.run(
        [base, "-m", "layerlab", "--version"], cwd=copy, capture_output=True, text=True, timeout=60, check=False
    )

    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("layerlab, version ")


# --- what cannot be made ---------------------------------------------------------------------


def test_without_ensurepip_a_plain_user_is_told_the_package(
    monkeypatch: pytest.MonkeyPatch, commands: list[list[str]], tmp_path: Path
) -> None:
    monkeypatch.setattr(shutil, "which", lambda name, **_: "/usr/bin/apt-get" if name == "apt-get" else None)
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    monkeypatch.setattr(os, "geteuid", lambda: 1000, raising=False)

    with pytest.raises(SetupError, match=r"sudo apt-get install python3\.\d+-venv"):
        install.install(tmp_path, CHECKOUT, extras=())
    assert commands == []


def test_without_ensurepip_root_on_debian_installs_the_package_and_goes_on(
    monkeypatch: pytest.MonkeyPatch, commands: list[list[str]], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(shutil, "which", lambda name, **_: "/usr/bin/apt-get" if name == "apt-get" else None)
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    monkeypatch.setattr(os, "geteuid", lambda: 0, raising=False)

    install.install(tmp_path, CHECKOUT, extras=())

    package = f"python3.{sys.version_info.minor}-venv"
    assert commands[1][-1] == package
    assert commands[2] == [sys.executable, "-m", "venv", str(tmp_path)]
    assert package in capsys.readouterr().err, "said before it is done"


def test_uv_on_path_makes_and_fills_the_environment(
    monkeypatch: pytest.MonkeyPatch, commands: list[list[str]], tmp_path: Path
) -> None:
    monkeypatch.setattr(shutil, "which", lambda name, **_: "/usr/bin/uv" if name == "uv" else None)
    monkeypatch.setattr(install, "uv_environment", lambda python, environ: {})

    install.install(tmp_path, CHECKOUT, extras=("test",))

    assert [command[:3] for command in commands] == [
        ["/usr/bin/uv", "venv", "--seed"],
        ["/usr/bin/uv", "pip", "install"],
    ]
    assert commands[1][-2:] == ["-e", f"{CHECKOUT}[test]"]


def failing_steps(monkeypatch: pytest.MonkeyPatch, **reasons: str) -> list[str]:
    """Let the steps whose command contains a word fail for a reason; give the commands that were tried."""
    tried: list[str] = []

    def run(title: str, command: Sequence[str | Path], **_: object) -> tuple[str, ...]:
        tried.append(" ".join(map(str, command)))
        for word, reason in reasons.items():
            if word in tried[-1].split():
                raise SetupError(f"{title}: failed with status 1. The last lines were:\n    {reason}")
        return ()

    monkeypatch.setattr(steps, "run", run)
    monkeypatch.setattr(install, "uv_environment", lambda python, environ: {})
    return tried


def test_where_uv_cannot_be_had_pip_does_the_work(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(shutil, "which", lambda name, **_: None)
    tried = failing_steps(monkeypatch, uv="ERROR: No matching distribution found for uv")

    install.install(tmp_path, CHECKOUT, extras=())

    assert tried[-1].endswith(f"-m pip install -e {CHECKOUT}")


def test_where_uv_fails_pip_is_tried(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(shutil, "which", lambda name, **_: "uv")
    tried = failing_steps(monkeypatch, uv="error: invalid peer certificate: UnknownIssuer")
    install.python_of(tmp_path).parent.mkdir()
    install.python_of(tmp_path).touch()

    install.install(tmp_path, CHECKOUT, extras=())

    assert tried[-1].endswith(f"-m pip install -e {CHECKOUT}")


def test_without_a_network_it_says_so_and_what_to_look_at(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(shutil, "which", lambda name, **_: None)
    failing_steps(monkeypatch, uv="NewConnectionError: Temporary failure in name resolution")

    with pytest.raises(SetupError, match=r"(?s)name resolution.*index did not answer.*pip config list"):
        install.install(tmp_path, CHECKOUT, extras=())


def test_a_failing_step_shows_the_last_lines_of_its_command(capsys: pytest.CaptureFixture[str]) -> None:
    program = "import sys\nfor n in range(50): print('line', n)\nsys.exit(3)"

    with pytest.raises(SetupError, match=r"(?s)Counting: failed with status 3\..*line 49") as caught:
        steps.run("Counting", [sys.executable, "-c", program])

    assert "line 30\n" not in str(caught.value)
    assert "Counting …" in capsys.readouterr().err


def test_a_long_silent_step_gives_signs_of_life(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(steps, "HEARTBEAT_SECONDS", 0.05)
    program = "import time; print('fetching numpy', flush=True); time.sleep(0.5)"

    steps.run("Waiting", [sys.executable, "-c", program])

    assert "still at it after 0 s: fetching numpy" in capsys.readouterr().err


# --- where uv looks --------------------------------------------------------------------------


def test_pips_configuration_reaches_uv() -> None:
    lines = [
        "global.index-url='https://mirror.example/simple'",
        "global.extra-index-url='file:///srv/a/simple\\nhttps://second.example/simple'",
        "global.find-links='/srv/wheels\\n/srv/more'",
        "global.trusted-host='mirror.example'",
        "global.cert='/etc/company.pem'",
        "global.timeout='180'",
        "global.disable-pip-version-check='1'",
    ]
    assert translate(lines) == {
        "UV_DEFAULT_INDEX": "https://mirror.example/simple",
        "UV_INDEX": "file:///srv/a/simple https://second.example/simple",
        "UV_INDEX_STRATEGY": "unsafe-best-match",
        "UV_FIND_LINKS": "/srv/wheels,/srv/more",
        "UV_INSECURE_HOST": "mirror.example",
        "UV_HTTP_TIMEOUT": "180",
        "SSL_CERT_FILE": "/etc/company.pem",
    }


def test_the_environment_wins_over_install_and_that_over_global() -> None:
    lines = [
        ":env:.index-url='https://third.example'",
        "global.index-url='https://first.example'",
        "install.index-url='https://second.example'",
        "install.no-index='true'",
    ]
    assert translate(lines) == {"UV_DEFAULT_INDEX": "https://third.example", "UV_NO_INDEX": "1"}
    assert translate(lines[1:3])["UV_DEFAULT_INDEX"] == "https://second.example"


def test_what_the_user_set_for_uv_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PIP_INDEX_URL", "https://pip.example/simple")
    python = Path(sys.executable)

    assert uv_environment(python, {})["UV_DEFAULT_INDEX"] == "https://pip.example/simple"
    assert "UV_DEFAULT_INDEX" not in uv_environment(python, {"UV_DEFAULT_INDEX": "https://uv.example"})
