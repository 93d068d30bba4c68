"""What a name of an image has to look like before anybody is asked for it."""

from __future__ import annotations

import re

# The grammar of `reference` in github.com/distribution/reference, without the rules on lengths of names.
REFERENCE = re.compile(
    r"(?P<name>(?:[a-z0-9][a-zA-Z0-9.-]*(?::\d+)?/)?[a-z0-9]+(?:[._/-]+[a-z0-9]+)*)"
    r"(?::(?P<tag>\w[\w.-]{0,127}))?(?:@(?P<digest>\w+:[0-9a-fA-F]{8,}))?"
)


def fault(reference: str) -> str | None:
    """Say what keeps a text from naming an image; None where it can.

    >>> fault("python:3.12-slim"), fault("Python:3.12")
    (None, 'an image is named in small letters')
    >>> fault("python:-slim")
    'what stands behind the colon is no tag'
    """
    if REFERENCE.fullmatch(reference):
        return None
    name, _, tag = reference.partition("@")[0].rpartition(":")
    if REFERENCE.fullmatch(reference.lower()):
        return "an image is named in small letters"
    if name and "/" not in tag and REFERENCE.fullmatch(name):
        return "what stands behind the colon is no tag"
    return "that is no name of an image"
