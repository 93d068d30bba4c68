"""The script that runs inside images, run here on folders made for it: what it counts, and to whom it gives a file."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from layerlab import probe

SCRIPT = Path(probe.__file__).with_name("inside.py")


pytestmark = pytest.mark.slow  # it weighs all packages of this environment


def put(path: Path, size: int = 0, text: str = "", *, runs: bool = False) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text or "x" * size)
    path.chmod(0o755 if runs else 0o644)
    return path


def install(prefix: Path, name: str, *, size: int, script: bool = True) -> Path:
    """Lay out one distribution as pip does, bytecode included; returns its site-packages."""
    site = prefix / "lib" / "python3" / "site-packages"
    module = name.lower().replace("-", "_")
    record = [
        f"{module}/__init__.py",
        f"{module}/__pycache__/__init__.cpython-311.pyc",
        f"{module}-1.0.dist-info/RECORD",
    ]
    put(site / record[0], size)
    put(site / record[1], 5_000)
    put(site / f"{module}-1.0.dist-info" / "METADATA", text=f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
    record += [f"{module}-1.0.dist-info/METADATA", f"{module}/gone.py"]
    if script:
        put(prefix / "bin" / module, text=f"#!{sys.executable}\n", runs=True)
        record.append(f"../../../bin/{module}")
    put(site / record[2], text="".join(f"{line},,\n" for line in record))
    return site


def run(*words: str, cwd: Path, **env: str) -> Any:
    asked = [sys.executable, "-B", "-c", SCRIPT.read_text(), *words]
    done = subprocess.run(asked, cwd=cwd, env={**os.environ, **env}, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


def ours(told: Any, root: Path) -> dict[str, Any]:
    return {one["name"]: one for one in told["distributions"] if one["folder"].startswith(str(root))}


def test_a_distribution_weighs_its_files_without_bytecode(tmp_path: Path) -> None:
    site = install(tmp_path / "p", "Demo_Kit", size=1_000)
    told = run("contents", "", cwd=tmp_path, PYTHONPATH=str(site))
    found = ours(told, tmp_path)["demo-kit"]
    info = [*(site / "demo_kit-1.0.dist-info").iterdir(), tmp_path / "p" / "bin" / "demo_kit"]
    assert found["size"] == 1_000 + sum(path.stat().st_size for path in info)
    assert (found["version"], found["folder"]) == ("1.0", str(site))


def test_the_application_is_what_the_working_folder_holds_besides(tmp_path: Path) -> None:
    app = tmp_path / "app"
    put(app / "main.py", 100)
    put(app / "static" / "logo", 23)
    put(app / "__pycache__" / "main.cpython-311.pyc", 900)
    put(app / ".git" / "objects", 900)
    put(app / ".venv" / "pyvenv.cfg", 900)
    (app / "link").symlink_to(app / "main.py")
    os.link(app / "main.py", app / "same.py")
    site = install(app / "vendor", "demo", size=700)
    told = run("contents", "", cwd=app, PYTHONPATH=str(site))
    assert told["application_bytes"] == 123
    assert "demo" in ours(told, app)


def test_packages_are_those_of_the_python_that_the_start_command_names(tmp_path: Path) -> None:
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", tmp_path / "venv"], check=True)
    install(tmp_path / "other", "elsewhere", size=1)
    python = tmp_path / "venv" / "bin" / "python"
    site = next((tmp_path / "venv" / "lib").iterdir()) / "site-packages"
    for path in install(tmp_path / "made", "demo", size=700).iterdir():
        path.rename(site / path.name)
    program = put(tmp_path / "venv" / "bin" / "serve", text=f"#!{python}\n", runs=True)
    for command in (program, python):
        told = run("contents", str(command), cwd=tmp_path, PATH="/usr/bin:/bin")
        assert set(ours(told, tmp_path)) == {"demo"}, command
    assert run("contents", "no-such-program", cwd=tmp_path)["python"] == sys.executable
    broken = put(tmp_path / "venv" / "bin" / "moved", text="#!/nowhere/bin/python\n", runs=True)
    assert run("contents", str(broken), cwd=tmp_path)["python"] == sys.executable


def test_tools_are_found_on_the_path_each_once(tmp_path: Path) -> None:
    put(tmp_path / "bin" / "uv", 440, runs=True)
    put(tmp_path / "bin" / "gcc", 10)  # no program: it may not be executed
    (tmp_path / "bin" / "pip").symlink_to("uv")
    (tmp_path / "again").symlink_to("bin")
    path = f"{tmp_path}/bin:{tmp_path}/again:{os.environ['PATH']}"
    found = [tool for tool in run("contents", cwd=tmp_path, PATH=path)["tools"] if str(tmp_path) in tool["path"]]
    assert [(tool["name"], tool["path"], tool["size"]) for tool in found] == [
        ("pip", f"{tmp_path}/bin/pip", 0),
        ("uv", f"{tmp_path}/bin/uv", 440),
    ]


def test_what_a_copy_carries_is_told_by_program_by_distribution_and_by_folder(tmp_path: Path) -> None:
    prefix = tmp_path / "prefix"
    site = install(prefix, "demo", size=700)
    put(prefix / "bin" / "uv", 4_400, runs=True)
    put(prefix / "share" / "doc" / "a", 5)
    put(prefix / "share" / "b", 6)
    rows = {(row["path"], row["owner"]): row for row in run("files", str(prefix), cwd=tmp_path)}
    demo = sum(path.stat().st_size for path in site.rglob("*") if path.is_file())
    assert {key: (row["size"], row["runs"]) for key, row in rows.items()} == {
        (f"{prefix}/bin/demo", "demo"): ((prefix / "bin" / "demo").stat().st_size, True),
        (f"{prefix}/bin/uv", None): (4_400, True),
        (f"{site}/demo", "demo"): (demo, False),
        (f"{prefix}/share", None): (11, False),
    }
    # Copied alone, the programs still belong to the packages beside them.
    only_bin = run("files", f"{prefix}/bin", cwd=tmp_path)
    assert [(row["path"], row["owner"]) for row in only_bin] == [
        (f"{prefix}/bin/demo", "demo"),
        (f"{prefix}/bin/uv", None),
    ]


def test_equal_files_at_another_place_have_an_equal_digest_whatever_their_bytecode(tmp_path: Path) -> None:
    digests = []
    for name, compiled in (("one", 100), ("two", 200)):
        install(tmp_path / name, "demo", size=700)
        put(next((tmp_path / name).rglob("*.pyc")), compiled)
        rows = run("files", f"{tmp_path / name}/lib", cwd=tmp_path)
        digests.append([row["digest"] for row in rows])
    assert digests[0] == digests[1]
    put(tmp_path / "two" / "lib" / "python3" / "site-packages" / "demo" / "__init__.py", 701)
    assert [row["digest"] for row in run("files", f"{tmp_path}/two/lib", cwd=tmp_path)] != digests[0]


@pytest.mark.parametrize(("count", "paths"), [(60, 60), (61, 1)])
def test_a_crowded_folder_of_programs_is_one_entry(tmp_path: Path, count: int, paths: int) -> None:
    for number in range(count):
        put(tmp_path / "usr" / "bin" / f"program{number:02}", 10, runs=True)
    rows = run("files", f"{tmp_path}/usr/bin", cwd=tmp_path)
    assert (len(rows), sum(row["size"] for row in rows)) == (paths, count * 10)


def test_wildcards_and_what_is_missing(tmp_path: Path) -> None:
    put(tmp_path / "a1", 1)
    put(tmp_path / "a2", 2)
    rows = run("files", f"{tmp_path}/a*", f"{tmp_path}/nothing", cwd=tmp_path)
    assert [(row["source"], row["size"], row["is_folder"]) for row in rows] == [
        (f"{tmp_path}/a1", 1, False),
        (f"{tmp_path}/a2", 2, False),
    ]
