"""The edition of the course, which results, exports and reports bear."""

from __future__ import annotations

__version__ = "0.1.0"
