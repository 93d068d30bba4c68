"""The report of an image, opened from the disk: drawn, readable without a script, asking nobody, right for axe-core."""

from __future__ import annotations

from pathlib import Path

from axe_playwright_python.sync_playwright import Axe
from made_up_layers import hostile, inspection
from playwright.sync_api import Browser, expect

from layerlab.comparison import Comparison
from layerlab.report import html as report


def test_a_report_is_drawn_and_asks_nobody(chromium: Browser, tmp_path: Path) -> None:
    pages = {
        "inspect": report.inspection_page(inspection(), source="made up"),
        "compare": report.comparison_page(Comparison(inspection(), hostile()), source="made up"),
        "hostile": report.inspection_page(hostile(), source="made up"),
    }
    for name, text in pages.items():
        path = tmp_path / f"{name}.html"
        report.write(path, text)
        page = chromium.new_page(viewport={"width": 1280, "height": 1000})
        asked: list[str] = []
        wrong: list[str] = []
        page.on("request", lambda request, asked=asked: asked.append(request.url))
        page.on("pageerror", lambda error, wrong=wrong: wrong.append(str(error)))
        page.on("dialog", lambda dialog, wrong=wrong: (wrong.append(dialog.message), dialog.dismiss()))
        page.goto(path.as_uri())
        places = page.locator(".plot > div")
        expect(page.locator(".plot .main-svg").first).to_be_visible()
        assert page.locator(".plot > div.js-plotly-plot").count() == places.count() > 0
        assert page.locator("table").count() >= 2
        result = Axe().run(page).response
        assert result["passes"] and [one["id"] for one in result["violations"]] == []
        assert asked == [path.as_uri()] and wrong == []
        page.close()


def test_a_report_is_read_without_a_script(chromium: Browser, tmp_path: Path) -> None:
    report.write(tmp_path / "report.html", report.inspection_page(inspection(), source="made up"))
    page = chromium.new_context(java_script_enabled=False).new_page()
    page.goto((tmp_path / "report.html").as_uri())
    expect(page.get_by_role("cell", name="line 2: RUN apt-get install -y gcc")).to_be_visible()
    expect(page.locator(".plot").first).to_be_hidden()
    page.close()
