"""The distroless stand-in on the private engine: what it claims, what it lacks on purpose, and that it serves."""

from __future__ import annotations

from pathlib import Path

import pytest
from asking import asked

from layerlab import bases, build, inspection
from layerlab.bases.resolution import Base
from layerlab.bases.specs import OFFICIAL_MINOR
from layerlab.engine import Engine
from layerlab.engine.protocol import StartRequest
from layerlab.errors import BuildFailed

SERVICE = """\
import http.server, os, ssl

class Answer(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(f"{os.getuid()} {os.getcwd()} {ssl.OPENSSL_VERSION}".encode())

http.server.HTTPServer(("", 8000), Answer).serve_forever()
"""


@pytest.fixture(scope="module")
def base(engine: Engine) -> Base:
    found = bases.resolve(engine, "distroless")
    if not found.is_standin:
        pytest.skip(f"{found.reference} is no stand-in here, so there is nothing to hold against its recipe")
    return found


def told(engine: Engine, base: Base, code: str) -> str:
    result = engine.run(base.reference, ["-B", "-c", code])
    assert result.exit_code == 0, result.output
    return result.output.strip()


def test_it_says_what_it_is_and_never_bears_the_official_name(engine: Engine, base: Base) -> None:
    label, minor = base.image.config.label, bases.py_minor(engine)
    assert (label("layerlab.standin"), label("layerlab.base"), label("layerlab.py_minor")) == (
        "true",
        "distroless",
        minor,
    )
    assert base.reference == f"standin/distroless-python3:{minor}" and base.digest is None
    assert not any("gcr.io" in tag for tag in base.image.tags)
    assert "Layer Lab stand-in" in told(engine, base, "print(open('/etc/os-release').read())")
    assert minor != OFFICIAL_MINOR, "the stand-ins of this distribution are no course on official bases"


def test_it_starts_as_the_official_one_does(engine: Engine, base: Base) -> None:
    config = base.image.config
    assert config.entrypoint == (f"/usr/bin/python{bases.py_minor(engine)}",) and config.cmd == ()
    assert (config.user, config.workdir) == ("65532", "/home/nonroot")
    assert told(engine, base, "import os; print(os.getuid(), os.getcwd())") == "65532 /home/nonroot"


def test_it_has_no_shell_no_package_manager_no_pip(engine: Engine, base: Base) -> None:
    listed = "import os; print(*sorted(n for d in ('/usr/bin', '/usr/sbin') for n in os.listdir(d)))"
    programs = set(told(engine, base, listed).split())
    assert programs == {"python", "python3", f"python{bases.py_minor(engine)}", "update-ca-certificates"}
    with engine.start(StartRequest(image=base.reference, command=["-c", "import time; time.sleep(60)"])) as container:
        assert container.exec(["sh", "-c", "true"]).exit_code in (126, 127)
    for command in (["-m", "pip"], ["-m", "ensurepip"]):
        assert "No module named" in engine.run(base.reference, command).output


def test_a_command_becomes_python_s_arguments(engine: Engine, base: Base) -> None:
    failed = engine.run(base.reference, ["uvicorn", "main:app"])
    assert failed.exit_code == 2 and "can't open file '/home/nonroot/uvicorn'" in failed.output


def test_its_python_is_whole_and_trusts_the_usual_certificates(engine: Engine, base: Base) -> None:
    modules = "asyncio, bz2, ctypes, curses, hashlib, lzma, readline, sqlite3, ssl, uuid, zlib"
    code = f"import {modules}; print(len(ssl.create_default_context().get_ca_certs()))"
    assert int(told(engine, base, code)) > 100


def test_every_file_of_note_has_a_package(engine: Engine, base: Base) -> None:
    looked = inspection.of_engine(engine, base.image)
    owned = sum(one.size_bytes for one in looked.files if one.package)
    assert owned > 0.95 * base.image.size_bytes
    packages = {one.package for one in looked.files if one.package}
    assert {"debian:libc6", "debian:libssl3"} <= packages and "debian:dpkg" not in packages
    assert 40e6 < base.image.size_bytes < 65e6
    assert looked.findings == ()


def test_a_service_on_it_answers_as_nonroot(engine: Engine, base: Base, tmp_path: Path) -> None:
    (tmp_path / "main.py").write_text(SERVICE)
    (tmp_path / "Dockerfile").write_text(f'FROM {base.reference}\nCOPY main.py /app/\nCMD ["/app/main.py"]\n')
    tag = "layerlab/base-test:distroless"
    build.build(engine, asked(tmp_path, tag=tag))
    with engine.start(StartRequest(image=tag, ports=[8000], read_only=True)) as container:
        assert container.request("/").body.startswith("65532 /home/nonroot OpenSSL")
    engine.remove(tag)


def test_nothing_can_run_in_a_build_on_it(engine: Engine, base: Base, tmp_path: Path) -> None:
    (tmp_path / "Dockerfile").write_text(f"FROM {base.reference}\nRUN true\n")
    with pytest.raises(BuildFailed, match=r"/bin/sh|sh.*no such file"):
        build.build(engine, asked(tmp_path))
