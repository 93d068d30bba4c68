"""The HTML reports: all is on them, nothing is fetched, and what an image brings along is text."""

from __future__ import annotations

import io
import os
import re
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path

import made_up_archives as made
import pytest
from click.testing import CliRunner
from made_up_archives import file, tar
from made_up_layers import hostile, inspection
from rich.console import Console

from layerlab.cli import main
from layerlab.comparison import Comparison
from layerlab.errors import LayerLabError
from layerlab.report import comparing, terminal
from layerlab.report import html as report
from layerlab.report.budget import Budget, judged
from layerlab.report.inspecting import verdicts
from layerlab.report.page import external_loads

SOURCE = "Read from the archive made-up.tar"
# What a terminal or a reader's eye would obey: escape sequences, the bell, a turned direction of writing.
COMMANDS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")


class Page(HTMLParser):
    """Collects headings with their level, the rows of tables, and every start tag outside of scripts."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.headings: list[tuple[int, str]] = []
        self.rows: list[list[str]] = []
        self.tags: list[str] = []
        self._open = ""
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self._open = tag
        if re.fullmatch("h[1-6]", tag):
            self.headings.append((int(tag[1]), ""))
        if tag == "tr":
            self.rows.append([])
        if tag in ("td", "th"):
            self.rows[-1].append("")

    def handle_endtag(self, tag: str) -> None:
        self._open = ""

    def handle_data(self, data: str) -> None:
        if re.fullmatch("h[1-6]", self._open):
            level, before = self.headings[-1]
            self.headings[-1] = (level, before + data)
        if self._open in ("td", "th"):
            self.rows[-1][-1] += data


def pages() -> list[str]:
    looked = inspection()
    checks = judged(looked, Budget(1, 10**9, None, ("gcc",)))
    return [
        report.inspection_page(looked, checks, source=SOURCE),
        report.comparison_page(Comparison(inspection(), hostile()), source=SOURCE),
        report.inspection_page(hostile(), source=SOURCE),
    ]


def test_the_page_of_an_image_holds_it_all_as_tables() -> None:
    text = pages()[0]
    page = Page(text)
    cells = {cell for row in page.rows for cell in row}
    assert page.headings[0] == (1, "layerlab/made-up:1")
    for wanted in ("line 2: RUN apt-get install -y gcc", "30.0 MB", "compiler", "debian:gcc-12", "/data/model.bin"):
        assert wanted in cells
    assert ["FAIL", "size", "194 MB", "at most 1 B"] in page.rows
    assert any(row[0] == "PASS" and row[1] == "waste" for row in page.rows)
    assert any("join the rm of line 5" in cell for cell in cells), "each waste has its fix"
    for wanted in ("194 MB", "made-up:base, 60.0 MB", "80.0 MB", SOURCE):
        assert wanted in text


def test_the_page_of_a_comparison_adds_up() -> None:
    page = Page(report.comparison_page(Comparison(inspection(), inspection(base_layers=0)), source=SOURCE))
    last = next(row for row in page.rows if row[0] == "all")
    assert last[1:] == ["194 MB", "194 MB", "0 B"]
    assert ["python:flask 3.0", "4.00 MB", "0 B", "-4.00 MB"] in Page(pages()[1]).rows


@pytest.mark.parametrize("number", range(3))
def test_a_page_is_whole_in_itself_and_its_headings_are_in_order(number: int) -> None:
    text = pages()[number]
    assert external_loads(text) == ()
    levels = [level for level, _ in Page(text).headings]
    assert levels[0] == 1 and levels.count(1) == 1
    assert all(after <= before + 1 for before, after in pairwise(levels))
    assert text.count("<script>") == 2 and "content=\"default-src 'none'" in text


@pytest.mark.parametrize("number", [1, 2])
def test_what_an_image_brings_along_is_text_on_the_page(number: int) -> None:
    text = pages()[number]
    text.encode("utf-8")
    tags = Page(text).tags
    figures = 1 if number == 1 else 2
    # plotly, what draws, and the figures' data: none of the image's own.
    assert tags.count("script") == 2 + figures
    assert "img" not in tags and "alert(" not in "".join(re.findall(r"<script>[^<]*$", text))
    shown = re.sub(r"<script.*?</script>", "", text, flags=re.DOTALL)
    assert not COMMANDS.search(shown)
    assert "\\x1b]0;owned\\x07&lt;/script&gt;&lt;script&gt;alert(2)" in shown, "the name"
    # A container sees the file in neither image, so that only its own page has it.
    assert number == 1 or "&lt;img src=x onerror=alert(1)&gt;\\x1b[31m\\u202e\\xff{{7*7}}[bold]" in shown


def test_a_terminal_obeys_nothing_that_an_image_brings_along() -> None:
    out = io.StringIO()
    console = Console(file=out, width=400, force_terminal=False)
    terminal.show(hostile(), console)
    comparing.show(Comparison(inspection(), hostile()), console)
    verdicts(judged(hostile(), Budget(1)), console)
    assert not COMMANDS.search(out.getvalue())
    assert "\\x1b]0;owned\\x07" in out.getvalue() and "[/red]" in out.getvalue()


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    path = tmp_path / "image.tar"
    path.write_bytes(made.docker_save([tar([file("a", b"1" * 50)]), tar([file("b", b"2" * 9)])]))
    return path


def test_the_verbs_write_a_report_and_replace_one_that_is_named(archive: Path, tmp_path: Path) -> None:
    out = tmp_path / "report.html"
    out.write_text("older")
    out.chmod(0o640)
    ran = CliRunner().invoke(main, ["inspect", str(archive), "--html", str(out), "--max-size", "1B"])
    assert ran.exit_code == 1, "the verdict counts, whether there is a report or not"
    assert f"The report is {out}." in ran.output and "at most 1 B" in out.read_text()
    assert out.stat().st_mode & 0o777 == 0o640
    ran = CliRunner().invoke(main, ["compare", str(archive), str(archive), "--json", "--html", str(out)])
    assert ran.exit_code == 0 and ran.stdout.startswith("{") and "The report is" in ran.stderr
    assert "no cause differs" in out.read_text()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["image.tar", "report.html"], "nothing half lies about"


def test_a_report_never_replaces_the_archive_it_speaks_of(archive: Path) -> None:
    before = archive.read_bytes()
    for verb in (["inspect", str(archive)], ["compare", str(archive), str(archive)]):
        ran = CliRunner().invoke(main, [*verb, "--html", str(archive)])
        assert ran.exit_code == 2 and "is the archive itself" in ran.output
    assert archive.read_bytes() == before


def test_a_link_stays_a_link(tmp_path: Path) -> None:
    (tmp_path / "link.html").symlink_to(tmp_path / "target.html")
    report.write(tmp_path / "link.html", "page")
    assert (tmp_path / "link.html").is_symlink() and (tmp_path / "target.html").read_text() == "page"


@pytest.mark.parametrize("name", ["missing/report.html", "folder", "pipe"])
def test_where_nothing_can_be_written_the_error_says_so(tmp_path: Path, name: str) -> None:
    (tmp_path / "folder").mkdir()
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(LayerLabError, match=r"(cannot be written to .* \(No such file|is no file).*\. Name "):
        report.write(tmp_path / name, "page")
