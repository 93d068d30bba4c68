"""Rules one by one, prices, order; and no text that can be read breaks a rule."""

from __future__ import annotations

from pathlib import Path

import pytest
from generated import examples
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from review_cases import BUILDER, CASES, COPY_VENV, END, SLIM, VENV

from layerlab.context import BuildContext
from layerlab.dockerfile import parse
from layerlab.errors import DockerfileError
from layerlab.review import Finding, Price, Review, quoted, review, rule_names, visible
from layerlab.review.bases import read


def rules(text: str, **options: object) -> list[str]:
    return [one.rule for one in review(parse(text), **options)]  # type: ignore[arg-type]


@pytest.mark.parametrize(("rule", "text"), [(rule, text) for rule, (bad, _) in CASES.items() for text in bad])
def test_a_fault_is_found(rule: str, text: str) -> None:
    assert rule in rules(text)


@pytest.mark.parametrize(("rule", "text"), [(rule, text) for rule, (_, good) in CASES.items() for text in good])
def test_what_only_looks_like_it_is_not(rule: str, text: str) -> None:
    assert rule not in rules(text)


def test_every_rule_is_tried_here() -> None:
    elsewhere = {"unreadable-variable", "missing-source", "whole-context"}  # they need more than a text
    assert set(rule_names()) - elsewhere == set(CASES)


def context(folder: Path, text: str, **files: int) -> BuildContext:
    for name, size_bytes in files.items():
        path = folder / name.replace("__", "/").replace("_", ".")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"x" * size_bytes)
    return BuildContext.open(folder, dockerfile_text=text)


def test_the_whole_context_is_a_leak_until_something_keeps_files_out(tmp_path: Path) -> None:
    text = SLIM + "COPY . .\n" + END
    open_ = context(tmp_path, text, main_py=10)
    (found,) = [one for one in review(parse(text), context=open_) if one.rule == "whole-context"]
    assert "no .dockerignore" in found.what
    (tmp_path / ".dockerignore").write_text("__pycache__\n")
    assert "whole-context" not in rules(text, context=context(tmp_path, text))
    (tmp_path / ".env").write_text("KEY=1")
    (found,) = [one for one in review(parse(text), context=context(tmp_path, text)) if one.rule == "whole-context"]
    assert ".env" in found.what and found.price == Price("measured", 5, found.price.packed_share)
    builder = BUILDER + "COPY . /src\n" + VENV + SLIM + COPY_VENV + END
    assert "whole-context" not in rules(builder, context=context(tmp_path, builder))
    assert "whole-context" not in rules(text), "without a context nothing is known"


def test_a_folder_called_models_is_a_model_only_if_it_holds_one(tmp_path: Path) -> None:
    text = SLIM + "COPY models ./models\n" + END
    assert "model-baked" not in rules(text, context=context(tmp_path, text, models__user_py=300))
    (found,) = [one for one in review(parse(text), context=context(tmp_path, text, models__net_onnx=2_000_000))
                if one.rule == "model-baked"]  # fmt: skip
    assert (found.price.basis, found.price.size_bytes, found.price.packed_share) == ("measured", 2_000_000, 1.0)


def test_a_missing_source_is_found_where_the_context_is_known(tmp_path: Path) -> None:
    text = SLIM + "ARG WHICH\nCOPY main.py $WHICH ./\n" + END
    assert rules(text, context=context(tmp_path, text))[0] == "missing-source"
    assert "missing-source" not in rules(text)


def test_a_variable_that_cannot_be_replaced_is_the_one_finding() -> None:
    text = SLIM + "ENV A=${B:?unset}\n"
    (found,) = review(parse(text))
    assert (found.rule, found.lines) == ("unreadable-variable", (2,))


def test_a_default_that_only_an_argument_can_give_keeps_rules_quiet() -> None:
    assert rules("ARG BASE\nFROM ${BASE:?}\nUSER 10001\n") == []


def test_findings_are_sorted_by_harm_then_price_then_line() -> None:
    found = review(
        parse(
            "FROM python\n" + "RUN apt-get update && apt-get install -y gcc || true\nENV A_TOKEN=x1\nCMD uvicorn m:a\n"
        )
    )
    severities = [one.severity for one in found]
    assert severities == sorted(severities, key=("breaks", "leaks", "bloats", "style").index)
    bloats = [one.price.size_bytes or 0 for one in found if one.severity == "bloats"]
    assert bloats == sorted(bloats, reverse=True) and bloats[0] > bloats[-1]


def test_only_what_reaches_the_image_has_a_price() -> None:
    builder = "FROM python:3.12 AS builder\nRUN apt-get update && apt-get install -y gcc\nRUN pip install x==1\n" + VENV
    assert [one.price.basis for one in review(parse(builder + SLIM + COPY_VENV + END))] == []


def test_seconds_follow_the_bandwidth() -> None:
    (found,) = [one for one in review(parse("FROM python:3.12\n" + END)) if one.rule == "full-base"]
    slow, fast = found.price.seconds(10e6), found.price.seconds(1e9)
    assert slow and fast and slow == pytest.approx(100 * fast)
    assert Price().seconds(1e9) is None


def test_the_document_has_the_schema_that_it_says() -> None:
    told = review(parse("FROM python:3.12\n")).document(bandwidth_bits=1e9)
    assert (told["version"], told["bandwidth_bits"], told["measured"]) == (1, 1e9, False)
    assert sum(told["tally"].values()) == len(told["findings"])
    for one in told["findings"]:
        assert set(one) == {"rule", "severity", "lines", "what", "why", "fix", "price"}
        assert set(one["price"]) == {"basis", "size_bytes", "seconds"}


def test_a_review_reads_as_text() -> None:
    found = Finding("r", "leaks", (3, 5), "What.", "Because.", "So.", Price("measured", 2_000_000))
    text = str(Review((found,)))
    assert text.splitlines() == [
        "LEAKS  lines 3, 5  r", "  What.", "  Why: Because.", "  Fix: So.",
        "  Price: 2.00 MB (measured), 0.2 s a pull at 100 Mbit/s", "", "1 leaks",
    ]  # fmt: skip


def test_nothing_that_a_terminal_would_obey_comes_out() -> None:
    text = SLIM + "RUN pip install \x1b[2J\u202eevil\x07 || true && rm x\nUSER \x1b[31mme\n"
    told = str(review(parse(text)))
    assert "\x1b" not in told and "\u202e" not in told and "\\x1b" in told
    assert visible("a\tb\nc") == "a\tb\nc"
    assert len(quoted("x" * 10_000)) < 100


@pytest.mark.parametrize(
    ("name", "libc", "python", "root"),
    [
        ("python:3.12-slim", "glibc", (3, 12), True),
        ("docker.io/library/python:3.12.1-alpine3.20", "musl", (3, 12), True),
        ("gcr.io/distroless/python3-debian13:nonroot", "glibc", (3, 13), False),
        ("python:latest", "glibc", None, True),
        ("example.com/team/base:1", None, None, None),
        ("{BASE}", None, None, None),
    ],
)
def test_the_name_of_a_base_says_what_it_says(
    name: str, libc: str | None, python: tuple[int, int] | None, root: bool | None
) -> None:
    base = read(name)
    assert (base.libc, base.python, base.starts_as_root) == (libc, python, root)


PIECES = """
$X ${X:?} ${X} {} {X} \x1b[0m é 🐍 ' " $( ` \\ [::1]:80 << 2>&1 > >> && || ; | ( ) pip install uv -r
requirements.txt true rm -rf /root/.cache apt-get update apk add gcc -m venv /opt/venv .venv --user
--target= /etc/environment export A=1 * .. / . ./ AS builder scratch
--from=builder --mount=type=cache,target=/x --mount=type=bind,source=$X --chown=1
https://a:b@c/d.bin model.bin python:3.12-slim uvicorn main:app --host --port -b :: = == /usr/local/bin site-packages
"""
INSTRUCTIONS = """
FROM RUN COPY ADD ENV ARG USER WORKDIR CMD ENTRYPOINT EXPOSE SHELL ONBUILD LABEL VOLUME HEALTHCHECK STOPSIGNAL
"""
WORDS = st.sampled_from(PIECES.split())
KEYWORDS = st.sampled_from(INSTRUCTIONS.split())
TAILS = st.one_of(
    st.lists(WORDS, min_size=1, max_size=6).map(" ".join),
    st.lists(WORDS, min_size=1, max_size=4).map(lambda words: "[" + ", ".join(f'"{w}"' for w in words) + "]"),
)
LINES = st.builds(lambda keyword, tail: f"{keyword} {tail}", KEYWORDS, TAILS)
TEXTS = st.builds(
    lambda stages: "\n".join(f"FROM {base}\n" + "\n".join(lines) for base, lines in stages) + "\n",
    st.lists(
        st.tuples(
            st.sampled_from(
                ["python:3.12-slim AS builder", "scratch", "builder", "${X}", "gcr.io/distroless/python3", "x:$X"]
            ),
            st.lists(LINES, max_size=5),
        ),
        min_size=1,
        max_size=3,
    ),
)


# The lines of all cases, mixed: most of them mean something to some rule.
KNOWN = sorted({line for bad, good in CASES.values() for text in (*bad, *good) for line in text.splitlines()})
MIXED = st.lists(st.sampled_from(KNOWN) | LINES, max_size=12).map(lambda lines: "\n".join([BUILDER, *lines]))


# A machine that is busy with builds is no reason to fail.
@settings(max_examples=examples(1000), suppress_health_check=list(HealthCheck))
@given(text=TEXTS | MIXED)
def test_no_text_that_can_be_read_breaks_a_rule(text: str) -> None:
    try:
        dockerfile = parse(text)
    except DockerfileError:
        assume(False)
        return
    found = review(dockerfile)
    last = text.count("\n") + 1
    assert all(1 <= line <= last for one in found for line in one.lines)
    assert not any(character in str(found) for character in "\x1b\x00")
