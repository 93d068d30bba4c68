"""All rules on one file, the worst finding first; as text, and as a document for programs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING, Any

from layerlab.dockerfile import Dockerfile
from layerlab.errors import DockerfileError
from layerlab.review import building, leaks, leftovers, payload, pricing, starting, style, tools
from layerlab.review.finding import SEVERITIES, Finding, Price, quoted
from layerlab.review.subject import Subject
from layerlab.units import size

if TYPE_CHECKING:
    from layerlab.context import BuildContext
    from layerlab.inspection import Inspection

VERSION = 1
_RULES = (
    *building.RULES, *starting.RULES, *leaks.RULES, *tools.RULES, *leftovers.RULES, *payload.RULES, *style.RULES
)  # fmt: skip
BANDWIDTH_BITS = 100_000_000
_LEFT = ' style="text-align:left;vertical-align:top"'
_WRAPPED = ' style="text-align:left;vertical-align:top;overflow-wrap:anywhere"'


@dataclass(frozen=True)
class Review:
    """What all rules found in one Dockerfile, the worst first.

    Attributes
    ----------
    is_measured
        True where prices come from the built image. None where an image was given that this file did not make.
    """

    findings: tuple[Finding, ...]
    is_measured: bool | None = False

    def __iter__(self) -> Any:
        return iter(self.findings)

    def __len__(self) -> int:
        return len(self.findings)

    @property
    def tally(self) -> str:
        """How many findings there are of which kind: ``2 breaks, 1 leaks``."""
        counts = Counter(one.severity for one in self.findings)
        return ", ".join(f"{counts[kind]} {kind}" for kind in SEVERITIES if counts[kind]) or "no finding"

    def text(self, *, bandwidth_bits: float = BANDWIDTH_BITS) -> str:
        """Return the findings for reading, one below the other."""
        return "\n\n".join([*(told(one, bandwidth_bits) for one in self.findings), self.tally])

    def _repr_html_(self) -> str:
        if not self.findings:
            return "<p>no finding</p>"
        rows = "".join(_row(one) for one in self.findings)
        heads = "".join(f'<th scope="col"{_LEFT}>{name}</th>' for name in ("harm", "line", "what", "fix", "price"))
        return f"<table><caption{_LEFT}>{self.tally}, the worst first</caption><tr>{heads}</tr>{rows}</table>"

    def document(self, *, bandwidth_bits: float = BANDWIDTH_BITS) -> dict[str, Any]:
        """Return the findings as JSON values.

        Schema, version 1; fields are added, none changes its meaning::

            version, bandwidth_bits, measured (true, false; null: the image was not built from this file)
            tally {breaks, leaks, bloats, style}
            findings [{rule, severity, lines, what, why, fix, price {basis, size_bytes, seconds}}]   the worst first

        ``basis`` is measured, estimated, unknown (it costs bytes, nobody knows how many) or none.
        ``seconds`` is what every node waits for it, packed as a registry sends it.
        """
        counts = Counter(one.severity for one in self.findings)
        return {
            "version": VERSION,
            "bandwidth_bits": bandwidth_bits,
            "measured": self.is_measured,
            "tally": {kind: counts[kind] for kind in SEVERITIES},
            "findings": [_document(one, bandwidth_bits) for one in self.findings],
        }

    def __str__(self) -> str:
        return self.text()

    __repr__ = __str__


def review(
    dockerfile: Dockerfile,
    *,
    context: BuildContext | None = None,
    inspection: Inspection | None = None,
    ignore: Collection[str] = (),
) -> Review:
    """Hold a Dockerfile against all rules.

    Parameters
    ----------
    context
        The folder that is sent along. Without it nothing is said of `.dockerignore` and of files that are missing.
    inspection
        Of the image that was built from this file: prices are then measured.
    ignore
        Names of rules that are not wanted; see `rule_names`.
    """
    subject = Subject(dockerfile, context)
    try:
        assert subject.resolved
    except DockerfileError as error:
        return Review((_unreadable(error),))
    found = [one for rule in _RULES for one in rule(subject) if one.rule not in ignore]
    is_measured: bool | None = False
    if inspection is not None:
        priced = pricing.measured(found, subject, inspection)
        is_measured = True if priced is not None else None
        found = list(priced or found)
    return Review(tuple(sorted(found, key=lambda one: one.order)), is_measured)


def rule_names() -> tuple[str, ...]:
    """Return the names of all rules, as they stand in findings."""
    return ("unreadable-variable", *(rule.__name__.replace("_", "-") for rule in _RULES))


def told(finding: Finding, bandwidth_bits: float = BANDWIDTH_BITS) -> str:
    """Return one finding in five lines."""
    lines = ", ".join(map(str, finding.lines))
    head = f"{finding.severity.upper()}  line{'s' if len(finding.lines) > 1 else ''} {lines}  {finding.rule}"
    body = [finding.what, f"Why: {finding.why}", f"Fix: {finding.fix}", f"Price: {cost(finding.price, bandwidth_bits)}"]
    return "\n  ".join([head, *body])


def cost(price: Price, bandwidth_bits: float = BANDWIDTH_BITS) -> str:
    """Return a price in words: bytes, how they are known, and what every node waits for them."""
    seconds = price.seconds(bandwidth_bits)
    if price.size_bytes is None or seconds is None:
        return "bytes unknown until it is built" if price.basis == "unknown" else "no bytes"
    about = "about " if price.basis == "estimated" else ""
    return f"{about}{size(price.size_bytes)} ({price.basis}), {seconds:.1f} s a pull at {_bits(bandwidth_bits)}"


def _row(one: Finding) -> str:
    # What is quoted may hold a word without end; the short columns keep theirs whole.
    cells = (
        (_LEFT, one.severity),
        (_LEFT, ", ".join(map(str, one.lines))),
        (_WRAPPED, f"{one.what} {one.why}"),
        (_WRAPPED, one.fix),
        (_LEFT, cost(one.price)),
    )
    return "<tr>" + "".join(f"<td{style}>{escape(text)}</td>" for style, text in cells) + "</tr>"


def _bits(bandwidth_bits: float) -> str:
    return f"{bandwidth_bits / 1e9:g} Gbit/s" if bandwidth_bits >= 1e9 else f"{bandwidth_bits / 1e6:g} Mbit/s"


def _document(one: Finding, bandwidth_bits: float) -> dict[str, Any]:
    seconds = one.price.seconds(bandwidth_bits)
    return {
        "rule": one.rule,
        "severity": one.severity,
        "lines": list(one.lines),
        "what": one.what,
        "why": one.why,
        "fix": one.fix,
        "price": {
            "basis": one.price.basis,
            "size_bytes": one.price.size_bytes,
            "seconds": None if seconds is None else round(seconds, 3),
        },
    }


def _unreadable(error: DockerfileError) -> Finding:
    return Finding(
        "unreadable-variable", "breaks", (error.line or 1,),
        quoted(str(error), 200),
        "A builder stops here, so nothing else was looked at.",
        "Correct the variable, or give its ARG a default.",
    )  # fmt: skip
