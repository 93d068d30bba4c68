"""How far a base is: one number for a bar, and the bytes of each layer while it is pulled. No engine, no clock."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

# Unpacking a layer takes about a third of the time that downloading it does on a home line.
_DOWNLOAD_SHARE = 0.75
_DONE = ("Pull complete", "Already exists")
_DOWNLOADED = ("Download complete", "Verifying Checksum", "Extracting", *_DONE)
_LAYER_STATUS = ("Pulling fs layer", "Waiting", "Downloading", *_DOWNLOADED)


@dataclass(frozen=True)
class LayerProgress:
    """One layer on its way: ``current_bytes`` of ``total_bytes`` packed bytes have come (0 while unknown)."""

    id: str
    status: str
    current_bytes: int = 0
    total_bytes: int = 0
    extracted_bytes: int = 0


@dataclass(frozen=True)
class Progress:
    """How far a base is: ``fraction`` from 0 to 1, ``detail`` says in words what is being done.

    ``eta_seconds`` is None where nothing can be said yet; ``layers`` is empty unless the base is pulled.
    """

    reference: str
    detail: str
    fraction: float
    eta_seconds: float | None = None
    layers: tuple[LayerProgress, ...] = ()


OnProgress = Callable[[Progress], None]


class PullMeter:
    """Adds up the engine's events of one pull, which speak of one layer each."""

    def __init__(self, reference: str) -> None:
        self._reference = reference
        self._layers: dict[str, LayerProgress] = {}
        self._detail = "asking the registry"
        self._is_done = False

    def read(self, event: Mapping[str, Any]) -> Progress:
        """Take in one event and say how far the pull is."""
        status, layer_id = str(event.get("status", "")), str(event.get("id", ""))
        # "Retrying in 5 seconds" bears a layer's id as well, and says why nothing moves.
        if status.startswith(_LAYER_STATUS):
            self._layers[layer_id] = _updated(self._layers.get(layer_id, LayerProgress(layer_id, "")), status, event)
            self._detail = self._sum()
        elif status.startswith("Status: "):
            self._is_done = True
        elif status.startswith("Retrying"):
            self._detail = f"{self._sum()}; {status[0].lower()}{status[1:]}"
        return self.progress

    @property
    def progress(self) -> Progress:
        """How far the pull is by now."""
        return Progress(self._reference, self._detail, self._fraction(), layers=tuple(self._layers.values()))

    def _sum(self) -> str:
        from layerlab.units import size

        layers = self._layers.values()
        come, total = sum(one.current_bytes for one in layers), sum(one.total_bytes for one in layers)
        done = sum(one.status in _DONE for one in layers)
        return f"pulling {size(come)} of {size(total)}, {done} of {len(layers)} layers unpacked"

    def _fraction(self) -> float:
        # What was there already is no work: counted as done, it would make the bar start high and fall back.
        layers = [one for one in self._layers.values() if one.status != "Already exists"]
        if self._is_done or not layers:
            return float(self._is_done)
        known = [one.total_bytes for one in layers if one.total_bytes]
        # A layer whose size nobody said yet counts as an average one.
        typical = sum(known) / len(known) if known else 1
        total = sum(one.total_bytes or typical for one in layers)
        return sum(_share(one) * (one.total_bytes or typical) for one in layers) / total


def _updated(layer: LayerProgress, status: str, event: Mapping[str, Any]) -> LayerProgress:
    detail = event.get("progressDetail") or {}
    current, total = int(detail.get("current") or 0), int(detail.get("total") or 0)
    if status == "Downloading":
        return replace(layer, status=status, current_bytes=current, total_bytes=total or layer.total_bytes)
    if status == "Extracting":
        return replace(layer, status=status, current_bytes=layer.total_bytes, extracted_bytes=current)
    if status in _DOWNLOADED:
        return replace(layer, status=status, current_bytes=layer.total_bytes)
    return replace(layer, status=status)


def _share(layer: LayerProgress) -> float:
    if layer.status in _DONE:
        return 1.0
    if layer.status in _DOWNLOADED:
        unpacked = layer.extracted_bytes / layer.total_bytes if layer.total_bytes else 0.0
        return _DOWNLOAD_SHARE + (1 - _DOWNLOAD_SHARE) * min(1.0, unpacked)
    return _DOWNLOAD_SHARE * layer.current_bytes / layer.total_bytes if layer.total_bytes else 0.0
