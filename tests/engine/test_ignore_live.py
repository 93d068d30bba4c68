"""What our reading of an ignore file leaves is what a docker client really sends, over ignore files made at random."""

from __future__ import annotations

import io
import os
import re
import shutil
import subprocess
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from random import Random

import pytest

from layerlab.context import BuildContext
from layerlab.engine.protocol import Engine
from layerlab.errors import ContextError

NAMES = ("a", "b", "ab", "A", ".a", "a.md", "b.py", "B.MD", "a b", "é", "[a]", "a^b", "a-", "a*", "b]", "(a)+")
PARTS = (*NAMES, "*", "*", "**", "**", "?", "a*", "*b", "*.md", "**.md", "**a", "a**", "[ab]*", "[^a]*", "[a-c]")
PARTS += (
    "[^a-b]?",
    "\\a*",
    "\\*",
    "a\\*",
    "\\[a\\]",
    "[\\]a]",
    "[*]",
    "[?]",
    "^*",
    ".*",
    "..",
    ".",
    "",
    "\\d",
    "[a-\\]]*",
)
PARTS += ("[[:alpha:]]*", "a[", "[z-a]", "[]a]", "***", "a**b", "[!a]*", "{a,b}")
PLAIN = (*(name for name in NAMES if not set(name) & set("*[]?^\\")), "..", ".")
# The last where the engine hears of the end before the client has told the reason.
REFUSED = re.compile(b"syntax error in pattern|illegal exclusion pattern|context canceled")
# Older clients have another matcher in them.
FIRST_CLASSIC = 23


@dataclass(frozen=True)
class Client:
    """A docker client: the whole of BuildKit's walk with buildx, the old builder's without."""

    program: str
    has_buildx: bool

    def sent(self, folder: Path, endpoint: str) -> set[str] | None:
        """Build a folder's `COPY . /ctx` and return what was copied; None if a pattern is refused."""
        return self._by_buildx(folder, endpoint) if self.has_buildx else self._by_the_old_builder(folder, endpoint)

    def _by_buildx(self, folder: Path, endpoint: str) -> set[str] | None:
        command = ("buildx", "build", "--builder", "default", "--provenance=false", "--output", "type=tar,dest=-", ".")
        done = self._run(endpoint, *command, cwd=folder)
        if done.returncode:
            assert re.search(b"syntax error in pattern|illegal exclusion pattern|context canceled", done.stderr), (
                done.stderr
            )
            return None
        return names(done.stdout)

    def _by_the_old_builder(self, folder: Path, endpoint: str) -> set[str]:
        built = self._run(endpoint, "build", "--quiet", "--no-cache", ".", cwd=folder)
        assert built.returncode == 0, built.stderr
        image = built.stdout.decode().strip()
        try:
            saved = self._run(endpoint, "save", image, cwd=folder).stdout
        finally:
            self._run(endpoint, "rmi", image, cwd=folder)
        with tarfile.open(fileobj=io.BytesIO(saved)) as archive:
            (layer,) = (one for one in archive if one.name.endswith("layer.tar"))
            return names(archive.extractfile(layer).read())

    def _run(self, endpoint: str, *command: str, cwd: Path) -> subprocess.CompletedProcess[bytes]:
        environment = {**os.environ, "DOCKER_HOST": endpoint, "DOCKER_BUILDKIT": "0"}
        return subprocess.run([self.program, *command], cwd=cwd, env=environment, capture_output=True, timeout=300)


def names(tar: bytes) -> set[str]:
    with tarfile.open(fileobj=io.BytesIO(tar)) as archive:
        return {one.name.strip("/").removeprefix("ctx/") for one in archive if one.name.strip("/") != "ctx"}


@pytest.fixture(scope="module")
def client() -> Client:
    folders = os.environ.get("PATH", os.defpath).split(os.pathsep)
    programs = list(dict.fromkeys(found for folder in folders if (found := shutil.which("docker", path=folder))))
    for program in programs:
        if subprocess.run([program, "buildx", "version"], capture_output=True).returncode == 0:
            return Client(program, has_buildx=True)
    for program in programs:
        said = subprocess.run([program, "--version"], capture_output=True, text=True).stdout
        if (version := re.search(r"version (\d+)", said)) and int(version[1]) >= FIRST_CLASSIC:
            return Client(program, has_buildx=False)
    pytest.skip("This needs a docker client with buildx, or one of 23.0 or later.")


def tree(random: Random) -> set[str]:
    found: set[str] = set()
    for _ in range(random.randint(3, 14)):
        path = "/".join(random.choice(NAMES) for _ in range(random.choice((1, 2, 2, 3, 3, 4))))
        if not any(other == path or other.startswith(f"{path}/") or path.startswith(f"{other}/") for other in found):
            found.add(path)
    return found


def ignore_file(random: Random, *, only_plain_exceptions: bool) -> str:
    return random.choice(("", "\ufeff")) + "\n".join(
        line(random, only_plain_exceptions) for _ in range(random.randint(1, 6))
    )


def line(random: Random, only_plain_exceptions: bool) -> str:
    is_exception = random.random() < 0.4
    parts = PLAIN if is_exception and only_plain_exceptions else PARTS
    path = "/".join(random.choice(parts) for _ in range(random.choice((1, 1, 2, 2, 3))))
    if is_exception and only_plain_exceptions:
        path += random.choice(("", "", "/*", "/**"))
    before = random.choice(("", "", "", "", " ", "/", "./"))
    after = random.choice(("", "", "", "", " ", "/", "\r"))
    return f"{before}{'!' if is_exception else ''}{path}{after}"


def left(folder: Path) -> set[str] | None:
    try:
        return {entry.path for entry in BuildContext.open(folder).entries}
    except ContextError:
        return None


def drawn(random: Random, root: Path, client: Client) -> Iterator[tuple[Path, str, set[str] | None]]:
    """Yield folders with a tree and an ignore file in each, and what we say is left; without end."""
    number = 0
    while True:
        number += 1
        folder = root / str(number)
        for path in tree(random):
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_text(path)
        text = ignore_file(random, only_plain_exceptions=not client.has_buildx)
        folder.mkdir(exist_ok=True)
        (folder / ".dockerignore").write_text(text)
        (folder / "Dockerfile").write_text("FROM scratch\nCOPY . /ctx\n")
        ours = left(folder)
        # The old builder looks through the folder once more before it sends it, and may meet more malformed patterns.
        if ours is not None or client.has_buildx:
            yield folder, text, ours
        shutil.rmtree(folder)


def differing(engine: Engine, client: Client, root: Path, *, count: int, seed: int) -> list[str]:
    cases = drawn(Random(seed), root, client)
    told = []
    for _ in range(count):
        folder, text, ours = next(cases)
        theirs = client.sent(folder, engine.info.endpoint)
        if ours != theirs:
            told.append(f"{text!r}: ours {sorted(ours or ())}, theirs {sorted(theirs or ())}")
    return told


def test_what_is_left_is_what_a_build_copies(engine: Engine, client: Client, tmp_path: Path) -> None:
    assert differing(engine, client, tmp_path, count=80 if client.has_buildx else 40, seed=1) == []


@pytest.mark.nightly
@pytest.mark.timeout(3600)
def test_what_is_left_is_what_many_builds_copy(engine: Engine, client: Client, tmp_path: Path) -> None:
    assert differing(engine, client, tmp_path, count=3000 if client.has_buildx else 500, seed=2) == []
