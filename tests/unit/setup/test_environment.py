"""environment.yml (conda, Binder) keeps step with pyproject.toml, and nothing at the root overrules it."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement

CHECKOUT = Path(__file__).parents[3]
TEXT = (CHECKOUT / "environment.yml").read_text(encoding="utf-8")
ENVIRONMENT = yaml.safe_load(TEXT)
PROJECT = tomllib.loads((CHECKOUT / "pyproject.toml").read_text(encoding="utf-8"))["project"]


def pip_section() -> list[str]:
    (section,) = [entry["pip"] for entry in ENVIRONMENT["dependencies"] if isinstance(entry, dict)]
    assert isinstance(section, list)
    return section


def pins() -> dict[str, str]:
    """Give name → version of every line of the pip section but the course's own."""
    found = [re.fullmatch(r"([\w.-]+)==([\w.]+)", line) for line in pip_section() if line != "-e ."]
    assert None not in found, "every line of the pip section is an exact pin"
    return {match[1]: match[2] for match in found if match}


def wanted() -> dict[str, Requirement]:
    return {(one := Requirement(line)).name: one for line in PROJECT["dependencies"]}


def test_every_dependency_is_pinned_and_nothing_else() -> None:
    assert sorted(pins()) == sorted(wanted())


@pytest.mark.parametrize("name", sorted(wanted()))
def test_a_pin_satisfies_what_pyproject_asks_for(name: str) -> None:
    assert wanted()[name].specifier.contains(pins()[name]), f"{name}=={pins()[name]} against {wanted()[name]}"


def test_python_is_pinned_to_a_minor_version_that_pyproject_allows() -> None:
    (python,) = [one for one in ENVIRONMENT["dependencies"] if str(one).startswith("python=")]
    version = python.partition("=")[2]
    assert re.fullmatch(r"3\.\d+", version)
    assert Requirement(f"python{PROJECT['requires-python']}").specifier.contains(version)


def test_the_environment_bears_the_name_of_the_course_and_installs_its_checkout() -> None:
    assert ENVIRONMENT["name"] == PROJECT["name"] == "layerlab"
    # repo2docker copies the checkout before it installs when, and only when, this section names a local path.
    assert "-e ." in pip_section()


@pytest.mark.parametrize("line", [line for line in TEXT.splitlines() if re.match(r"\s*- .*[^:]$", line)])
def test_every_line_ends_with_why_it_is_there(line: str) -> None:
    assert re.search(r"\S\s+# \S", line) or line.strip() == "- conda-forge", line


def test_nothing_silences_environment_yml_on_binder() -> None:
    # repo2docker: a Dockerfile wins over environment.yml, and binder/ or .binder/ hide the root's files.
    for name in ("Dockerfile", "binder", ".binder", "requirements.txt", "Pipfile", "runtime.txt"):
        assert not (CHECKOUT / name).exists(), f"{name} at the root changes what Binder builds"


def test_bootstrap_can_read_every_requirement() -> None:
    from layerlab.setup.bootstrap import unmet

    assert list(unmet(CHECKOUT)) == [], "the interpreter that runs the tests has the dependencies"
