"""Pulling from a real registry on this machine, and from ones that refuse, lie, break off or stay silent.

The registry is Debian's `docker-registry`, unpacked and not installed: no service, no root.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import socket
import ssl
import subprocess
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import ProxyHandler, Request, build_opener

import pytest
from asking import asked

from layerlab import build
from layerlab.bases import Progress, registry, resolve
from layerlab.bases.specs import parse
from layerlab.engine.live import LiveEngine
from layerlab.errors import BaseUnavailable, DigestMismatch, ImageNotFound, NoNetwork, PullFailed, RateLimited

# No Python has this version, so no test, course or user looks for it on the engine.
BASE = "python:3.99-slim"
REPOSITORY = "library/python"
LAYERS = 3
LAYER_BYTES = 1_500_000


@dataclass(frozen=True)
class Registry:
    """A registry that runs: its address, where it keeps its blobs, and the digest of the image it holds."""

    address: str
    storage: Path
    digest: str

    @property
    def prefix(self) -> str:
        """What LAYERLAB_BASE_PREFIX has to be."""
        return f"{self.address}/library/"

    def blob(self, digest: str) -> Path:
        """Where the registry keeps the bytes of a manifest or layer."""
        short = digest.removeprefix("sha256:")
        return self.storage / "docker/registry/v2/blobs/sha256" / short[:2] / short / "data"

    @property
    def layers(self) -> list[str]:
        """The digests of the image's layers."""
        return [one["digest"] for one in json.loads(self.blob(self.digest).read_text())["layers"]]


@pytest.fixture(scope="session")
def program(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The registry's program: installed, or unpacked from the distribution's package."""
    if found := shutil.which("docker-registry"):
        return found
    folder = tmp_path_factory.mktemp("package")
    downloaded = (
        subprocess.run(["apt-get", "download", "docker-registry"], cwd=folder, capture_output=True, text=True)
        if shutil.which("apt-get")
        else None
    )
    packages = list(folder.glob("*.deb"))
    if not packages:
        reason = f"no docker-registry here: {downloaded.stderr.strip() if downloaded else 'no apt-get'}"
        pytest.fail(reason, pytrace=False) if request.config.getoption("--require-engine") else pytest.skip(reason)
    subprocess.run(["dpkg-deb", "-x", packages[0], folder], check=True)
    return str(folder / "usr/bin/docker-registry")


@pytest.fixture(scope="module")
def near(engine: LiveEngine) -> LiveEngine:
    """The live engine, if this machine's loopback is its own too."""
    if not engine.info.endpoint.startswith("unix://"):
        pytest.skip(f"the engine at {engine.info.endpoint} does not share this machine's loopback")
    return engine


@pytest.fixture(scope="module")
def held(program: str, near: LiveEngine, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Registry]:
    """A registry that holds an image of three layers under the name of a base."""
    storage = tmp_path_factory.mktemp("registry")
    address = f"127.0.0.1:{free_port()}"
    config = storage / "config.yml"
    config.write_text(
        "version: 0.1\nlog: {level: error}\n"
        f"storage: {{filesystem: {{rootdirectory: {storage}}}}}\nhttp: {{addr: {address}}}\n"
    )
    process = subprocess.Popen([program, "serve", config], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        wait_until_it_answers(address)
        yield Registry(address, storage, push(near, address, tmp_path_factory.mktemp("image")))
    finally:
        process.terminate()
        process.wait(10)


@pytest.fixture
def here(held: Registry, near: LiveEngine, monkeypatch: pytest.MonkeyPatch) -> Iterator[Registry]:
    """The registry named as the mirror, and nothing of its image on the engine before or after."""
    monkeypatch.setenv(registry.PREFIX, held.prefix)
    yield held
    forget(near, BASE, f"{held.prefix}{BASE}", f"{held.prefix}python@{held.digest}")


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


def wait_until_it_answers(address: str) -> None:
    opener, deadline = build_opener(ProxyHandler({})), time.monotonic() + 20
    while True:
        try:
            opener.open(f"http://{address}/v2/", timeout=2).close()
            return
        except HTTPError:
            return
        except OSError:
            assert time.monotonic() < deadline, f"the registry at {address} does not answer"
            time.sleep(0.1)


def push(engine: LiveEngine, address: str, folder: Path) -> str:
    """Build a small image whose layers do not pack, push it as the base, forget it; return its digest."""
    for number in range(LAYERS):
        (folder / f"layer{number}").write_bytes(os.urandom(LAYER_BYTES))
    copies = "".join(f"COPY layer{number} /\n" for number in range(LAYERS))
    (folder / "Dockerfile").write_text(f'FROM scratch\n{copies}CMD ["/none"]\n')
    ours, theirs = f"layerlab/registry-test:{os.getpid()}", f"{address}/{REPOSITORY}:3.99-slim"
    image = build.build(engine, asked(folder, tag=ours)).image
    engine.client.images.get(image.id).tag(f"{address}/{REPOSITORY}", "3.99-slim")
    for _ in engine.push(theirs):
        pass
    digests = (one.partition("@") for one in engine.inspect(theirs)["RepoDigests"])
    digest = next(digest for name, _, digest in digests if name == f"{address}/{REPOSITORY}")
    engine.client.images.remove(theirs)
    # With its parents and the builder's cache, or a pull would find the layers there.
    engine.client.images.remove(ours, noprune=False)
    if engine.info.kind == "private":
        engine.client.api.prune_builds(all=True)
    engine.journal.forget("tag", ours)
    return str(digest)


def forget(engine: LiveEngine, *references: str) -> None:
    """Take pulled images off the engine and out of the journal."""
    for reference in references:
        with contextlib.suppress(ImageNotFound):
            engine.client.images.remove(engine.inspect(reference)["Id"], force=True)
        engine.journal.forget("base", reference)


def is_on(engine: LiveEngine, reference: str) -> bool:
    try:
        engine.inspect(reference)
    except ImageNotFound:
        return False
    return True


def put_manifest(held: Registry, content: bytes) -> str:
    """Give the registry one more manifest; return its digest."""
    kind = json.loads(content)["mediaType"]
    url = f"http://{held.address}/v2/{REPOSITORY}/manifests/another"
    request = Request(url, data=content, method="PUT", headers={"Content-Type": kind})
    with build_opener(ProxyHandler({})).open(request, timeout=10) as answer:
        return str(answer.headers["Docker-Content-Digest"])


@contextlib.contextmanager
def changed(path: Path, content: bytes) -> Iterator[None]:
    """Change a file of the registry for a while."""
    before = path.read_bytes()
    path.write_bytes(content)
    try:
        yield
    finally:
        path.write_bytes(before)


def test_a_pull_tells_of_every_layer(here: Registry, near: LiveEngine) -> None:
    seen: list[Progress] = []
    base = resolve(near, BASE, on_progress=seen.append)
    assert (base.reference, base.is_standin, base.digest) == (BASE, False, here.digest)
    last = seen[-1]
    assert last.fraction == 1.0 and len(last.layers) == LAYERS
    assert all(layer.status == "Pull complete" for layer in last.layers)
    # Layers that come in one gulp are never reported as downloading, so their size stays unknown.
    told = [layer.total_bytes for layer in last.layers if layer.total_bytes]
    assert all(LAYER_BYTES < size < LAYER_BYTES * 1.1 for size in told)
    fractions = [one.fraction for one in seen]
    assert fractions == sorted(fractions) and len(set(fractions)) > 3


def test_a_pulled_base_is_noted_and_found_without_a_registry(
    here: Registry, near: LiveEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    resolve(near, BASE)
    assert {BASE, f"{here.prefix}{BASE}"} <= near.journal.owned().bases, "offered by clean, never removed by itself"
    assert BASE not in near.journal.owned().tags
    monkeypatch.setenv(registry.PREFIX, f"127.0.0.1:{free_port()}/gone/")
    assert resolve(near, BASE).digest == here.digest


def test_a_name_that_somebody_holds_is_left_alone(here: Registry, near: LiveEngine, tmp_path: Path) -> None:
    (tmp_path / "Dockerfile").write_text("FROM scratch\nLABEL whose=theirs\n")
    theirs = build.build(near, asked(tmp_path)).image.id
    near.client.images.get(theirs).tag("python", "3.99-slim")
    registry.fetch(near, parse(BASE))
    assert near.inspect(BASE)["Id"] == theirs
    assert is_on(near, f"{here.prefix}{BASE}")


def test_a_pin_that_holds(here: Registry, near: LiveEngine) -> None:
    base = resolve(near, f"{BASE}@{here.digest}", on_progress=lambda progress: None)
    assert base.digest == here.digest


def test_a_pin_that_the_registry_answers_with_something_else(here: Registry, near: LiveEngine) -> None:
    # A manifest of its own: the engine keeps those it has pulled, and asks for them no more.
    digest = put_manifest(here, here.blob(here.digest).read_bytes() + b"\n")
    manifest = here.blob(digest)
    with changed(manifest, manifest.read_bytes() + b"\n"), pytest.raises(DigestMismatch, match=digest):
        resolve(near, f"{BASE}@{digest}")


def test_a_pin_that_the_registry_does_not_know(here: Registry, near: LiveEngine) -> None:
    with pytest.raises(BaseUnavailable, match="has no"):
        registry.fetch(near, parse(f"{BASE}@sha256:{'0' * 64}"))


def test_a_layer_that_breaks_off(here: Registry, near: LiveEngine) -> None:
    blob = here.blob(here.layers[-1])
    with (
        changed(blob, blob.read_bytes()[: LAYER_BYTES // 2]),
        pytest.raises(PullFailed, match=r"did not arrive") as caught,
    ):
        registry.fetch(near, parse(BASE))
    assert not isinstance(caught.value, (NoNetwork, RateLimited, DigestMismatch))
    assert not is_on(near, BASE), "nothing half-pulled bears the name"
    assert resolve(near, BASE).digest == here.digest, "the next pull mends it"


def test_an_image_that_the_registry_lacks(here: Registry, near: LiveEngine) -> None:
    with pytest.raises(BaseUnavailable, match=r"has no .*3\.98"):
        registry.fetch(near, parse("python:3.98-slim"))


class TooMany(BaseHTTPRequestHandler):
    """Docker Hub once it has had enough of an address."""

    def do_GET(self) -> None:
        if self.path == "/v2/":
            return self._answer(200, {})
        message = "You have reached your pull rate limit. You may increase the limit by authenticating and upgrading."
        return self._answer(429, {"errors": [{"code": "TOOMANYREQUESTS", "message": message}]})

    do_HEAD = do_GET  # noqa: N815

    def _answer(self, status: int, content: object) -> None:
        body = json.dumps(content).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Docker-Distribution-Api-Version", "registry/2.0")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Print nothing."""


def test_a_rate_limit(near: LiveEngine, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    server = ThreadingHTTPServer(("127.0.0.1", 0), TooMany)
    # Of a registry without TLS the containerd store tells only that it has none. On 127.0.0.1 any certificate will do.
    made = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=localhost", "-days", "1"]
    key, certificate = tmp_path / "key", tmp_path / "certificate"
    subprocess.run([*made, "-keyout", key, "-out", certificate], check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    monkeypatch.setenv(registry.PREFIX, f"127.0.0.1:{server.server_port}/library/")
    try:
        with pytest.raises(RateLimited, match="docker login"):
            registry.fetch(near, parse(BASE))
    finally:
        server.shutdown()
        server.server_close()


def test_a_registry_that_nobody_runs(near: LiveEngine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(registry.PREFIX, f"127.0.0.1:{free_port()}/library/")
    began = time.monotonic()
    with pytest.raises(NoNetwork, match="cannot be reached"):
        registry.fetch(near, parse(BASE))
    assert time.monotonic() - began < 10


def test_a_registry_that_takes_the_call_and_stays_silent(near: LiveEngine, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        monkeypatch.setenv(registry.PREFIX, f"127.0.0.1:{silent.getsockname()[1]}/library/")
        began = time.monotonic()
        with pytest.raises(NoNetwork, match="cannot be reached"):
            registry.fetch(near, parse(BASE), first_answer_seconds=1.5)
        assert time.monotonic() - began < 6
