"""What doctor says, what lab and test do about an engine, and what clean asks before it removes anything."""

from __future__ import annotations

import io
import os
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest
import requests
from rich.console import Console

from layerlab.course import clean, doctor, engines, testing
from layerlab.course import jupyterlab as lab
from layerlab.course.doctor import Finding
from layerlab.course.engines import Prepared
from layerlab.engine.live import LiveEngine
from layerlab.engine.live.belongings import Belonging, Kept
from layerlab.engine.protocol import EngineInfo
from layerlab.errors import EngineUnreachable, NoBuildKit, PrivateEngineError, SetupError


def info(
    kind: str,
    why: str = "DOCKER_HOST is set",
    *,
    name: str = "Docker",
    version: str = "28.5.2",
    platform: str = "linux/amd64",
) -> EngineInfo:
    return EngineInfo(
        kind=kind,  # type: ignore[arg-type]
        name=name,
        version=version,
        api_version="1.51",
        platform=platform,
        storage="overlay2",
        builder="classic",
        endpoint="tcp://10.0.0.1:2375",
        why=why,
    )


def connected(kind: str, why: str = "DOCKER_HOST is set", **more: str) -> SimpleNamespace:
    return SimpleNamespace(info=info(kind, why, **more), close=lambda: None)


@pytest.fixture
def said() -> Console:
    return Console(file=io.StringIO(), width=200)


def text(console: Console) -> str:
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


# --- doctor ----------------------------------------------------------------------------------


def all_well() -> Iterator[Finding]:
    yield Finding("PASS", "There is room.")


def not_yet() -> Iterator[Finding]:
    yield Finding("SKIP", "No base yet.", "layerlab bases build")


def broken() -> Iterator[Finding]:
    raise EngineUnreachable("No engine answers at tcp://10.0.0.1:2375. Start it.")


@pytest.mark.parametrize(
    ("examinations", "status", "end"),
    [
        ((all_well,), 0, "1 passed, 0 failed, 0 skipped. All is well.\n"),
        (
            (all_well, not_yet),
            0,
            "1 passed, 0 failed, 1 skipped. The course works; what is skipped is not there yet, or was never tried.\n",
        ),
        ((broken, not_yet, broken), 1, "0 passed, 1 failed, 1 skipped. Mend what failed first.\n"),
    ],
)
def test_doctor_tells_each_thing_once_and_ends_with_the_tally(
    monkeypatch: pytest.MonkeyPatch, said: Console, examinations: tuple[object, ...], status: int, end: str
) -> None:
    monkeypatch.setattr(doctor, "EXAMINATIONS", examinations)

    assert doctor.doctor(console=said) == status
    assert text(said).endswith(end)
    if broken in examinations:
        assert text(said).count("FAIL No engine answers at tcp://10.0.0.1:2375. Start it.") == 1
    if not_yet in examinations:
        assert "SKIP No base yet.\n     To mend it: layerlab bases build" in text(said)


def test_recordings_are_a_skip_with_a_way_to_an_engine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("layerlab.engine.connect", lambda: connected("recorded", "no engine was found"))

    (finding,) = doctor.engine()

    assert finding.verdict == "SKIP"
    assert "because no engine was found" in finding.sentence
    assert finding.fix


def test_a_live_engine_is_named_with_its_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("layerlab.engine.connect", lambda: connected("docker"))

    (finding,) = doctor.engine()

    assert finding.verdict == "PASS"
    assert "Docker 28.5.2 at tcp://10.0.0.1:2375" in finding.sentence
    assert "chosen because DOCKER_HOST is set" in finding.sentence


@pytest.mark.parametrize(
    ("name", "version", "verdict", "told"),
    [
        ("Docker", "20.10.24+dfsg1", "FAIL", "too old: only from 23.0 on is BuildKit what `docker build` uses"),
        ("Docker", "23.0.0", None, ""),
        ("Docker", "28.5.2+dfsg4", None, ""),
        ("Docker", "29.0.0", "SKIP", "newer than the newest that was tried, 28"),
        ("Podman", "4.9.3", "FAIL", "too old: the course was tried on Podman 5.8"),
        ("Podman", "5.8.6", None, ""),
        ("Docker", "dev", None, ""),
    ],
)
def test_an_engine_that_is_too_old_is_told_to_be_upgraded_and_why(
    monkeypatch: pytest.MonkeyPatch, name: str, version: str, verdict: str | None, told: str
) -> None:
    monkeypatch.setattr("layerlab.engine.connect", lambda: connected("docker", name=name, version=version))
    first, *others = doctor.engine()
    assert first.verdict == "PASS"
    assert [finding.verdict for finding in others] == ([verdict] if verdict else [])
    assert all(told in finding.sentence for finding in others)
    if verdict == "FAIL":
        assert "upgrade to" in others[0].fix


@pytest.mark.parametrize(
    ("system", "platform", "untried"),
    [
        ("linux", "linux/amd64", ""),
        ("linux", "linux/arm64", "linux/arm64"),
        ("darwin", "linux/amd64", "macOS"),
        ("darwin", "linux/arm64", "macOS or linux/arm64"),
        ("win32", "linux/amd64", "Windows"),
    ],
)
def test_where_nobody_has_tried_the_course_it_says_so(
    monkeypatch: pytest.MonkeyPatch, system: str, platform: str, untried: str
) -> None:
    monkeypatch.setattr(sys, "platform", system)
    monkeypatch.setattr("layerlab.engine.connect", lambda: connected("docker", platform=platform))
    found = list(doctor.untried())
    assert [finding.verdict for finding in found] == (["SKIP"] if untried else [])
    assert all(f"never been tried on {untried}: " in finding.sentence for finding in found)


def test_docker_desktop_is_recognised_by_what_it_calls_its_system(monkeypatch: pytest.MonkeyPatch) -> None:
    desktop = object.__new__(LiveEngine)
    desktop._info = info("docker")
    said = SimpleNamespace(info=lambda: {"OperatingSystem": "Docker Desktop"}, close=lambda: None)
    monkeypatch.setattr(LiveEngine, "client", property(lambda self: said))
    monkeypatch.setattr(LiveEngine, "close", lambda self: None)
    monkeypatch.setattr("layerlab.engine.connect", lambda: desktop)
    assert [finding.verdict for finding in doctor.untried()] == ["SKIP"]
    assert "Docker Desktop" in next(doctor.untried()).sentence


@pytest.mark.parametrize("missing", ["", "no buildx here. Install it"])
def test_an_engine_without_buildx_fails_with_what_to_install(monkeypatch: pytest.MonkeyPatch, missing: str) -> None:
    def buildx(self: LiveEngine) -> str:
        if missing:
            raise NoBuildKit(missing)
        return "/plugins/docker-buildx"

    docker = object.__new__(LiveEngine)
    docker._info = replace(info("docker"), builder="buildkit")
    monkeypatch.setattr(LiveEngine, "buildx", buildx)
    monkeypatch.setattr(LiveEngine, "close", lambda self: None)
    monkeypatch.setattr("layerlab.engine.connect", lambda: docker)
    (found,) = doctor.builder()
    assert (found.verdict, found.sentence) == (
        ("FAIL", missing) if missing else ("PASS", "Images are built by /plugins/docker-buildx.")
    )


def test_a_certificate_that_is_not_there_fails(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in (*doctor.TRUST, *doctor.PROXIES, *(proxy.lower() for proxy in doctor.PROXIES)):
        monkeypatch.delenv(name, raising=False)
    assert list(doctor.network()) == []

    monkeypatch.setenv("https_proxy", "http://user:secret@proxy.example:3128")
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "gone.pem"))
    proxy, trust = doctor.network()

    assert proxy.verdict == "PASS"
    assert "HTTPS_PROXY" in proxy.sentence
    assert "secret" not in proxy.sentence
    assert (trust.verdict, trust.fix) == ("FAIL", "unset SSL_CERT_FILE")


def test_missing_requirements_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "unmet", lambda: iter(["plotly>=6.0"]))

    (finding,) = doctor.python()

    assert (finding.verdict, finding.fix) == ("FAIL", "make lab")
    assert "plotly>=6.0" in finding.sentence


def test_extensions_of_jupyterlab_are_looked_for(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    assert [finding.verdict for finding in doctor.widgets()] == ["PASS", "PASS"]

    monkeypatch.setattr(sys, "prefix", str(tmp_path))

    assert [finding.verdict for finding in doctor.widgets()] == ["FAIL", "FAIL"]


def test_what_is_to_be_known_of_the_private_engine_is_said(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("LAYERLAB_DATA", str(tmp_path))
    assert list(doctor.private_engine()) == []

    late = {"forky": "Fri, 06 Nov 2026 08:08:01 UTC"}
    monkeypatch.setattr("layerlab.engine.private.past_date", lambda: late, raising=False)
    (tmp_path / "engine/data/overlay2").mkdir(parents=True)
    index, earlier = doctor.private_engine()

    assert (index.verdict, earlier.verdict) == ("PASS", "SKIP")
    assert "Debian forky was past its date (Fri, 06 Nov" in index.sentence and "signature held" in index.sentence
    assert f"Docker 20.10, has left its images in {tmp_path}/engine/data" in earlier.sentence
    assert earlier.fix == "layerlab engine purge --earlier"


def test_too_little_disk_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("layerlab.engine.private.status", lambda: SimpleNamespace(disk_bytes_free=10), raising=False)

    finding = next(doctor.disk())

    assert finding.verdict == "FAIL"
    assert "Only 10 B are free" in finding.sentence


# --- an engine for lab and test --------------------------------------------------------------


@pytest.fixture
def private(monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    """A private engine that is neither installed nor running, and takes note of what is done to it."""
    made = SimpleNamespace(done=[], running=False, error=None)

    def start(on_line: object) -> None:
        made.done.append("start")
        if made.error:
            raise made.error

    for name, verb in {
        "is_running": lambda: made.running,
        "installed": lambda: None,
        "install": lambda on_line: made.done.append("install"),
        "start": start,
        "stop": lambda: made.done.append("stop"),
        "variables": lambda: {"DOCKER_HOST": "unix:///ours/docker.sock"},
        "check_system": lambda: None,
    }.items():
        monkeypatch.setattr(f"layerlab.engine.private.{name}", verb, raising=False)
    monkeypatch.delenv("LAYERLAB_ENGINE", raising=False)
    return made


def test_a_live_engine_is_taken_as_it_is(monkeypatch: pytest.MonkeyPatch, private: SimpleNamespace) -> None:
    monkeypatch.setattr("layerlab.engine.connect", lambda: connected("podman"))

    assert engines.prepare_engine() == Prepared("podman")
    assert private.done == []


def test_without_an_engine_the_private_one_is_installed_and_started(
    monkeypatch: pytest.MonkeyPatch, private: SimpleNamespace, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("layerlab.engine.connect", lambda: connected("recorded", "no engine was found"))

    assert engines.prepare_engine() == Prepared("private", started_here=True)
    assert private.done == ["install", "start"]
    told = capsys.readouterr().err
    assert told.index("no engine was found") < told.index("Fetching Docker")


def test_a_private_engine_still_without_bases_is_not_started_again(
    monkeypatch: pytest.MonkeyPatch, private: SimpleNamespace
) -> None:
    private.running = True
    monkeypatch.setattr("layerlab.engine.connect", lambda: connected("recorded", "its bases are being prepared"))

    assert engines.prepare_engine() == Prepared("private")
    assert private.done == []


def test_what_keeps_an_engine_away_is_handed_back_and_not_raised(
    monkeypatch: pytest.MonkeyPatch, private: SimpleNamespace
) -> None:
    private.error = PrivateEngineError("User 1000 may not start an engine. Use Docker.")
    monkeypatch.setattr("layerlab.engine.connect", lambda: connected("recorded", "no engine was found"))

    prepared = engines.prepare_engine()

    assert not prepared.is_live
    assert prepared.why_not == "No engine was found. User 1000 may not start an engine. Use Docker."


def test_an_engine_that_was_named_and_is_dead_is_not_replaced(
    monkeypatch: pytest.MonkeyPatch, private: SimpleNamespace
) -> None:
    def dead() -> None:
        raise EngineUnreachable("Nothing answers at tcp://10.0.0.1:1. Start it.")

    monkeypatch.setattr("layerlab.engine.connect", dead)

    assert engines.prepare_engine() == Prepared("recorded", why_not="Nothing answers at tcp://10.0.0.1:1. Start it.")
    assert private.done == []


def test_recordings_that_were_asked_for_stay_recordings(
    monkeypatch: pytest.MonkeyPatch, private: SimpleNamespace
) -> None:
    monkeypatch.setenv("LAYERLAB_ENGINE", "recorded")
    monkeypatch.setattr("layerlab.engine.connect", lambda: connected("recorded", "LAYERLAB_ENGINE=recorded"))

    assert not engines.prepare_engine().is_live
    assert private.done == []


# --- test ------------------------------------------------------------------------------------


@pytest.fixture
def parts(monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    """Every part of `layerlab test` replaced by a verdict; takes note of how pytest was called."""
    made = SimpleNamespace(
        static=True, bases=True, tests=True, engine=Prepared("docker"), pytest=[], runs=[], told=[], browser=None
    )

    def run_pytest(arguments: tuple[str, ...], checkout: Path, told: Mapping[str, str] | None = None) -> bool:
        made.runs.append((told or {}).get("LAYERLAB_RUN"))
        made.told.append(told or {})
        made.pytest.append(arguments)
        return bool(made.tests)

    def prepare_browser() -> None:
        if made.browser:
            raise made.browser

    monkeypatch.setattr(testing.browser, "prepare", prepare_browser)
    monkeypatch.setattr(testing, "_static", lambda checkout: made.static)
    monkeypatch.setattr(testing, "prepare_bases", lambda engine: made.bases)
    monkeypatch.setattr(testing, "_pytest", run_pytest)
    monkeypatch.setattr(testing, "prepare_engine", lambda: made.engine)
    monkeypatch.delenv("CI", raising=False)
    return made


@pytest.mark.parametrize("part", ["static", "bases", "tests"])
def test_one_failing_part_fails_the_whole_and_stops_nothing(parts: SimpleNamespace, part: str) -> None:
    assert testing.test() == 0
    setattr(parts, part, False)

    assert testing.test() == 1
    assert len(parts.pytest) == 2, "pytest runs whatever failed before it"


def test_with_an_engine_no_live_test_may_be_skipped(parts: SimpleNamespace) -> None:
    testing.test(("-x",))
    assert parts.pytest == [("--require-engine", *testing.SIDE_BY_SIDE, "tests", "-x")]


@pytest.mark.parametrize(("ci", "arguments"), [(None, ()), ("true", ("--require-engine",))])
def test_without_an_engine_live_tests_are_skipped_but_not_in_ci(
    parts: SimpleNamespace, monkeypatch: pytest.MonkeyPatch, ci: str | None, arguments: tuple[str, ...]
) -> None:
    parts.engine = Prepared("recorded", why_not="User 1000 may not start an engine.")
    if ci:
        monkeypatch.setenv("CI", ci)

    testing.test()

    assert parts.pytest == [(*arguments, *testing.SIDE_BY_SIDE, "tests")]


@pytest.mark.parametrize(("ci", "said"), [(None, "are skipped"), ("true", "in CI that is a failure")])
def test_without_a_browser_the_other_tests_run_and_it_is_said(
    parts: SimpleNamespace,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    ci: str | None,
    said: str,
) -> None:
    parts.browser = SetupError("There is no Chromium here, and user 1000 may not install it.")
    if ci:
        monkeypatch.setenv("CI", ci)

    assert testing.test() == 0

    assert len(parts.pytest) == 1
    line = capsys.readouterr().err
    assert "No browser" in line and said in line and "user 1000" in line


@pytest.mark.parametrize("started_here", [True, False])
def test_only_an_engine_started_by_the_run_is_stopped_after_it(
    parts: SimpleNamespace, private: SimpleNamespace, started_here: bool
) -> None:
    parts.engine = Prepared("private", started_here=started_here)

    testing.test()

    assert private.done == (["stop"] if started_here else [])
    assert parts.told[0]["DOCKER_HOST"] == "unix:///ours/docker.sock"
    assert parts.told[0]["BUILDX_NO_DEFAULT_ATTESTATIONS"] == "1"


def test_each_run_of_all_tests_bears_a_name_of_its_own_and_a_check_none(parts: SimpleNamespace) -> None:
    testing.test()
    testing.test()
    testing.check()
    first, second, none = parts.runs
    assert first and second and first != second and none is None


def test_check_runs_the_unit_tests_that_are_not_slow(parts: SimpleNamespace) -> None:
    assert testing.check(("-q",)) == 0
    assert parts.pytest == [("-n", "logical", *testing.QUICK, "tests/unit", "tests/repository", "-q")]
    assert "not slow and not nightly" in testing.QUICK


def test_a_night_runs_every_mark_with_more_examples(parts: SimpleNamespace) -> None:
    assert testing.test(("-x",), nightly=True) == 0
    assert parts.pytest == [("--require-engine", *testing.SIDE_BY_SIDE, *testing.NIGHTLY, "tests", "-x")]
    assert testing.NIGHTLY[:2] == ("-m", ""), "takes back what pyproject.toml leaves out"


@pytest.mark.slow
def test_what_python_compiles_is_kept_even_where_the_environment_forbids_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", "1")
    (tmp_path / "test_one.py").write_text("def test_one():\n    assert True\n")
    assert testing._pytest(("-q", "-p", "no:cacheprovider", "test_one.py"), tmp_path)
    assert list((tmp_path / "build" / "bytecode").rglob("test_one*.pyc"))
    assert not list(tmp_path.glob("__pycache__"))


# --- lab -------------------------------------------------------------------------------------


def test_a_port_in_use_is_passed_over() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        first = taken.getsockname()[1]

        assert first < lab.free_port(first) < first + lab.PORTS_TRIED


def test_no_free_port_is_an_error_with_a_way_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lab, "PORTS_TRIED", 0)
    with pytest.raises(SetupError, match="--port"):
        lab.free_port(8888)


def test_jupyterlab_listens_on_loopback_and_its_token_is_no_argument(tmp_path: Path) -> None:
    line = lab.command(8899, tmp_path)

    assert "--ServerApp.ip=127.0.0.1" in line
    assert "--ServerApp.port=8899" in line
    assert not any("token" in argument.lower() for argument in line)
    assert lab.environment("abc", Prepared("docker"), {})["JUPYTER_TOKEN"] == "abc"


@pytest.mark.skipif(os.name == "nt", reason="Windows has no login shells")
def test_a_terminal_is_no_login_shell_which_would_forget_our_path(tmp_path: Path) -> None:
    from jupyter_server.serverapp import ServerApp

    application = ServerApp()
    application.parse_command_line([one for one in lab.command(8899, tmp_path)[3:] if "terminado" in one])
    assert application.terminado_settings == {"shell_command": os.environ.get("SHELL") or "sh"}


@pytest.mark.skipif(not hasattr(os, "geteuid"), reason="there is no root on Windows")
@pytest.mark.parametrize(("user", "allowed"), [(0, True), (1000, False)])
def test_root_is_allowed_only_when_it_is_root(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, user: int, allowed: bool
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: user)
    assert ("--ServerApp.allow_root=True" in lab.command(8888, tmp_path)) is allowed


def test_the_users_own_jupyter_settings_stay_on_the_path() -> None:
    path = lab.environment("abc", Prepared("docker"), {"JUPYTER_CONFIG_PATH": "/theirs"})["JUPYTER_CONFIG_PATH"]
    ours, theirs = path.split(os.pathsep)
    assert theirs == "/theirs"
    assert "announcements" in (Path(ours) / "labconfig" / "page_config.json").read_text()


@pytest.mark.parametrize(
    ("found", "engine"),
    [
        (Prepared("docker"), None),
        (Prepared("recorded", why_not="no engine was found", may_start=True), None),
        (Prepared("recorded", why_not="Nothing answers at tcp://10.0.0.1:1."), "recorded"),
    ],
)
def test_notebooks_get_recordings_by_name_only_where_a_named_engine_is_dead(
    private: SimpleNamespace, found: Prepared, engine: str | None
) -> None:
    assert lab.environment("abc", found, {}).get("LAYERLAB_ENGINE") == engine


@pytest.mark.parametrize(
    ("found", "possible", "told"),
    [
        (Prepared("docker"), True, None),
        (Prepared("private"), True, "unix:///ours/docker.sock"),
        (Prepared("recorded", why_not="no engine was found", may_start=True), True, "unix:///ours/docker.sock"),
        (Prepared("recorded", why_not="no engine was found", may_start=True), False, None),
    ],
)
def test_terminals_are_told_of_the_private_engine_where_it_is_used(
    private: SimpleNamespace, monkeypatch: pytest.MonkeyPatch, found: Prepared, possible: bool, told: str | None
) -> None:
    def refuse() -> None:
        raise PrivateEngineError("User 1000 may not start an engine.")

    if not possible:
        monkeypatch.setattr("layerlab.engine.private.check_system", refuse)
    environment = lab.environment("abc", found, {})
    assert environment.get("DOCKER_HOST") == told
    assert environment["BUILDX_NO_DEFAULT_ATTESTATIONS"] == "1"


def test_a_server_that_ends_while_starting_is_an_error() -> None:
    server = subprocess.Popen([sys.executable, "-c", "raise SystemExit(3)"])
    server.wait()
    with pytest.raises(SetupError, match="ended with status 3"):
        lab._wait_until_it_answers(server, 1, "abc")


# --- clean -----------------------------------------------------------------------------------


@pytest.fixture
def holdings(monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    """An engine that holds two things of ours and a base that we pulled."""
    tag, image = Belonging("tag", "layerlab/naive:latest", 1_110_000_000), Belonging("image", "sha256:feed", 5)
    made = SimpleNamespace(
        ours=(tag, image), bases=("python:3.12",), built=("python:3.11-slim",), kept=(), removed=False,
        left=(), cache_bytes=0, pruned=[], kind="docker",
    )  # fmt: skip

    def remove(engine: object) -> tuple[object, object]:
        made.removed = True
        return made.ours, made.kept

    monkeypatch.setattr(clean, "live_engines", lambda: iter([connected(made.kind)]))
    monkeypatch.setattr(clean, "belongings", lambda engine: made.ours)
    monkeypatch.setattr(clean, "pulled_bases", lambda engine: made.bases)
    monkeypatch.setattr(clean, "built_bases", lambda engine: made.built)
    monkeypatch.setattr(clean, "leftovers", lambda engine: made.left)
    monkeypatch.setattr(clean, "build_cache_bytes", lambda engine: made.cache_bytes)
    monkeypatch.setattr(clean, "prune_build_cache", lambda engine: made.pruned.append(engine) or made.cache_bytes)
    monkeypatch.setattr(clean, "remove", remove)
    return made


def test_clean_shows_everything_before_it_asks(holdings: SimpleNamespace, said: Console) -> None:
    shown: list[str] = []

    def no(question: str) -> bool:
        shown.append(text(said))
        return False

    assert clean.clean(confirm=no, console=said) == 0
    assert "layerlab/naive:latest  1.11 GB" in shown[0]
    assert "docker image rm python:3.12" in shown[0], "bases are offered, not removed"
    assert "1 without a name" in shown[0]
    assert "stand-in bases stay (python:3.11-slim)" in shown[0]
    assert not holdings.removed


def test_clean_removes_when_told_and_says_what_stayed(holdings: SimpleNamespace, said: Console) -> None:
    holdings.kept = (Kept(holdings.ours[1], "a container of yours is built on it"),)

    assert clean.clean(confirm=lambda question: True, console=said) == 1
    assert holdings.removed
    assert "FAIL image sha256:feed stays: a container of yours is built on it" in text(said)


def test_clean_with_nothing_to_do_asks_nothing(holdings: SimpleNamespace, said: Console) -> None:
    def never(question: str) -> bool:
        raise AssertionError("asked about nothing")

    holdings.ours = ()
    assert clean.clean(confirm=never, console=said) == 0
    assert "Nothing of the course's is on Docker 28.5.2" in text(said)


@pytest.mark.parametrize("verb", ["belongings", "remove"])
def test_an_engine_that_stops_answering_keeps_no_other_from_being_cleaned_up(
    holdings: SimpleNamespace, said: Console, monkeypatch: pytest.MonkeyPatch, verb: str
) -> None:
    dead, well = connected("docker"), connected("podman")
    works = getattr(clean, verb)

    def silent(engine: object) -> object:
        if engine is dead:
            raise requests.ReadTimeout("read timed out")
        return works(engine)

    monkeypatch.setattr(clean, "live_engines", lambda: iter([dead, well]))
    monkeypatch.setattr(clean, verb, silent)
    assert clean.clean(confirm=lambda question: True, console=said) == 1
    assert "No engine answers at" in text(said)
    assert holdings.removed


def test_clean_names_what_nothing_proves_to_be_ours(holdings: SimpleNamespace, said: Console) -> None:
    holdings.left = tuple(f"sha256:{number:064x}" for number in range(10))
    clean.clean(confirm=lambda question: False, console=said)
    assert "10 untagged images" in text(said)
    assert f"{0:012x}" in text(said)
    assert "and 2 more" in text(said)


def test_clean_names_buildkits_cache_on_an_engine_of_others(holdings: SimpleNamespace, said: Console) -> None:
    holdings.cache_bytes = 1_500_000_000
    clean.clean(confirm=lambda question: True, console=said)
    assert "BuildKit's cache takes 1.50 GB there" in text(said)
    assert "docker builder prune" in text(said)
    assert not holdings.pruned


def test_clean_empties_buildkits_cache_on_the_private_engine_alone(holdings: SimpleNamespace, said: Console) -> None:
    holdings.kind, holdings.cache_bytes, holdings.ours = "private", 1_500_000_000, ()
    asked: list[str] = []
    clean.clean(confirm=lambda question: bool(asked.append(question)) or True, console=said)
    assert "1.50 GB of BuildKit's cache" in asked[0]
    assert len(holdings.pruned) == 1


def test_clean_without_an_engine_says_so(monkeypatch: pytest.MonkeyPatch, said: Console) -> None:
    monkeypatch.setattr(clean, "live_engines", lambda: iter([]))
    assert clean.clean(confirm=lambda question: True, console=said) == 0
    assert "No engine answers" in text(said)
