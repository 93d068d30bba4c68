"""The lesson's claims: the file itself, and a claim beside what was measured."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from layerlab import claims
from layerlab.errors import LayerLabError

HEAD = "id,notebook,about,image,statement,value,value_high,base_value,unit,where,verdict,mechanism,true_when\n"
OFFICIAL = "119.2 MB (python:3.12-slim-trixie, built 2026-08-05)"


def test_the_file_reads_and_every_id_is_there_once() -> None:
    ids = [claim.id for claim in claims.load()]
    assert len(ids) == len(set(ids)) > 20


def test_every_iteration_of_the_lesson_has_its_size() -> None:
    assert claims.sizes() == {
        "naive": 1_200_000_000,
        "v1-slim": 450_000_000,
        "v2-multistage": 180_000_000,
        "v3-alpine-uv": 120_000_000,
        "v4-optimized": 118_000_000,
    }


def test_every_claim_has_all_four_parts() -> None:
    for claim in claims.load():
        assert claim.verdict in claims.VERDICTS or claim.verdict.startswith("depends on ")
        for part in (claim.statement, claim.where, claim.mechanism, claim.true_when):
            assert part, claim.id
        assert (claim.value is None) == (claim.unit == ""), claim.id
        assert re.fullmatch(r"\d\d", claim.notebook), claim.id


def test_the_reasons_hold_no_number_that_a_machine_would_measure() -> None:
    for claim in claims.load():
        for text in (claim.mechanism, claim.true_when):
            assert not re.search(r"\d\s?(%|[kMG]?B\b)", text), claim.id


def test_a_claim_in_small_units_is_held_in_bytes() -> None:
    assert claims.claim("history-copy-main").value_bytes == 5_200
    assert claims.claim("history-environment").value_bytes == 42
    shown = claims.beside("history-copy-main", 198)
    assert ("5.2 kB" in shown.claimed, shown.measured) == (True, "198 B, 0.038 times the estimate.")


def test_a_claim_leaves_for_our_lines_what_its_base_does_not_take() -> None:
    assert claims.claim("slim-size").added_bytes == 300_000_000
    assert claims.claim("pip-cache-size").added_bytes is None
    assert claims.claim("slim-reduction").value_bytes is None


@pytest.mark.parametrize(
    ("claim_id", "text"),
    [("naive-size", "1.2 GB"), ("slim-size", "450 MB"), ("slim-reduction", "62 %"), ("packages-need", "100 to 150 MB")],
)
def test_a_claimed_value_is_no_more_precise_than_it_was_claimed(claim_id: str, text: str) -> None:
    assert claims.claim(claim_id).value_text == text


def test_a_measurement_stands_beside_its_claim_in_four_parts() -> None:
    shown = claims.beside("slim-size", 150_000_000, added_bytes=30_000_000)
    assert [name for name, _ in shown.parts] == [
        "Another engineer's estimate",
        "Measured",
        "Verdict: not here",
        "True when",
    ]
    assert "450 MB" in shown.claimed
    assert shown.measured == "150 MB, 0.33 times the estimate; 30.0 MB of it added to the base."
    for _, text in shown.parts:
        assert text in " ".join(repr(shown).split())
    assert shown._repr_html_().count("<p><strong>") == 4


def test_on_a_stand_in_only_what_was_added_is_judged() -> None:
    shown = claims.beside("slim-size", 160_000_000, added_bytes=30_000_000, is_standin=True, official=OFFICIAL)
    assert shown.measured.startswith(
        "30.0 MB added to a stand-in base, where the estimate has 300 MB on top of its own figure for the base."
    )
    assert "The total of 160 MB is not held against the estimate" in shown.measured
    assert "times the estimate" not in shown.measured
    assert OFFICIAL in shown.measured
    assert shown.verdict == "not here, speaking of official bases"
    with pytest.raises(ValueError, match="pass added_bytes="):
        claims.beside("slim-size", 160_000_000, is_standin=True)


def test_the_size_of_a_stand_in_base_is_not_held_against_a_claim() -> None:
    shown = claims.beside("slim-base-size", 130_000_000, is_standin=True, official=OFFICIAL)
    assert "not held against the estimate" in shown.measured
    assert "times" not in shown.measured


def test_what_was_added_is_judged_on_any_base() -> None:
    for is_standin in (False, True):
        shown = claims.beside("pip-cache-size", 3_000_000, is_standin=is_standin)
        assert shown.measured == "3.00 MB, 0.02 times the estimate."
        assert shown.verdict == "not here"


@pytest.mark.parametrize(
    ("measured", "text"),
    [(120_000_000, "within the estimate"), (50_000_000, "0.5 times"), (300_000_000, "2 times the estimate")],
)
def test_a_range_is_met_within_its_ends(measured: int, text: str) -> None:
    assert text in claims.beside("packages-need", measured).measured


def test_reductions_and_statements_are_shown_as_what_they_are() -> None:
    assert claims.beside("slim-reduction", measured_percent=87.4).measured == "87 %."
    on_standin = claims.beside("slim-reduction", measured_percent=82.0, is_standin=True)
    assert "not held against the estimate" in on_standin.measured
    assert claims.beside("slim-has-gcc", found="gcc: not found.").measured == "gcc: not found."
    assert claims.beside("slim-has-gcc").measured == "not measured here."


def test_html_is_escaped() -> None:
    assert "<img" not in claims.beside("slim-has-gcc", found="<img src=x>")._repr_html_()


def test_an_unknown_claim_names_those_there_are() -> None:
    with pytest.raises(LayerLabError, match=r"no claim with the id 'slim'\. The ids are: .*slim-size"):
        claims.beside("slim", 1)


@pytest.mark.parametrize(
    ("row", "fault"),
    [
        ("x,01,image,naive,S,1,,,MB,W,wrong,M,T", r"line 2: 'wrong' is no verdict\. Use one of holds"),
        ("x,01,picture,naive,S,1,,,MB,W,holds,M,T", "cannot be about 'picture'"),
        ("x,01,image,naive,S,many,,,MB,W,holds,M,T", "line 2 cannot be read"),
        ("x,01", "is no verdict"),
    ],
)
def test_a_bad_row_is_named_by_its_line(tmp_path: Path, row: str, fault: str) -> None:
    path = tmp_path / "claims.csv"
    path.write_text(HEAD + row + "\n", encoding="utf-8")
    with pytest.raises(LayerLabError, match=fault):
        claims.load(path)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(LayerLabError, match="nowhere"):
        claims.load(tmp_path / "nowhere.csv")
