"""Dockerfiles as values: parser, model and variable expansion. Knows no engine and opens no file."""

from __future__ import annotations

from layerlab.dockerfile.expansion import expand
from layerlab.dockerfile.model import (
    Dependency,
    Directives,
    Dockerfile,
    Flag,
    Form,
    Heredoc,
    Instruction,
    Mount,
    Stage,
)
from layerlab.dockerfile.parser import parse
from layerlab.dockerfile.resolution import (
    Builder,
    Config,
    Resolved,
    ResolvedInstruction,
    ResolvedStage,
    resolve,
)

__all__ = [
    "Builder",
    "Config",
    "Dependency",
    "Directives",
    "Dockerfile",
    "Flag",
    "Form",
    "Heredoc",
    "Instruction",
    "Mount",
    "Resolved",
    "ResolvedInstruction",
    "ResolvedStage",
    "Stage",
    "expand",
    "parse",
    "resolve",
]
