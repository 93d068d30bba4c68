"""Renders each text of a folder as a page, while the image is built."""

import sys
from pathlib import Path

from markdown import markdown

texts, pages = map(Path, sys.argv[1:])
pages.mkdir(parents=True)
for text in sorted(texts.glob("*.md")):
    body = markdown(text.read_text(encoding="utf-8"))
    (pages / f"{text.stem}.html").write_text(f"<!doctype html>\n<meta charset=utf-8>\n{body}\n", encoding="utf-8")
(pages / "health").write_text("healthy\n", encoding="utf-8")
