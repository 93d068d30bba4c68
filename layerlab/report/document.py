"""An inspection as JSON for programs. The form is kept: fields are added, none changes its meaning.

Schema, version 1 (sizes in bytes, layers base-first, ``layer`` counts from 0)::

    version, image {name, id, tags, platform, created}
    size_bytes, visible_bytes, waste_bytes      waste_bytes is the total over all layers, the base's own included
    base {name, layers, size_bytes} or null
    layers [{layer, diff_id, instruction, line, is_base, size_bytes, packed_bytes, files, waste_bytes}]
    causes {cause: bytes}   packages [{package, size_bytes}]   of what was added to the base; the largest first
    waste [{size_bytes, how, written_by, hidden_by, files, largest, fix}]
"""

from __future__ import annotations

from collections import Counter
from typing import Any

from layerlab.inspection import Inspection

VERSION = 1


def document(inspection: Inspection) -> dict[str, Any]:
    """Return the inspection as JSON values, in the schema above."""
    image = inspection.image
    own = [one for one in inspection.files if one.layer >= inspection.base_layers]
    return {
        "version": VERSION,
        "image": {
            "name": inspection.name,
            "id": image.id,
            "tags": list(image.tags),
            "platform": image.platform,
            "created": image.created,
        },
        "size_bytes": inspection.size_bytes,
        "visible_bytes": inspection.union.visible_bytes,
        "waste_bytes": inspection.waste_bytes,
        "base": _base(inspection),
        "layers": _layers(inspection),
        "causes": dict(_summed((one.cause, one.size_bytes) for one in own)),
        "packages": [
            {"package": package, "size_bytes": total}
            for package, total in _summed((one.package, one.size_bytes) for one in own if one.package)
        ],
        "waste": [
            {
                "size_bytes": one.size_bytes,
                "how": one.how,
                "written_by": one.writer.layer,
                "hidden_by": one.hider.layer,
                "files": len(one.paths),
                "largest": one.paths[0],
                "fix": one.fix,
            }
            for one in inspection.findings
        ],
    }


def _base(inspection: Inspection) -> dict[str, Any] | None:
    if not inspection.base_layers:
        return None
    total = sum(layer.size_bytes for layer in inspection.layers[: inspection.base_layers])
    return {"name": inspection.base, "layers": inspection.base_layers, "size_bytes": total}


def _layers(inspection: Inspection) -> list[dict[str, Any]]:
    wasted: Counter[int] = Counter()
    for one in inspection.union.wasted:
        wasted[one.written_by] += one.size_bytes
    return [
        {
            "layer": number,
            "diff_id": layer.diff_id,
            "instruction": maker.instruction,
            "line": maker.line,
            "is_base": maker.is_base,
            "size_bytes": layer.size_bytes,
            "packed_bytes": layer.packed_bytes,
            "files": sum(entry.kind == "file" for entry in layer.entries),
            "waste_bytes": wasted[number],
        }
        for number, (layer, maker) in enumerate(zip(inspection.layers, inspection.makers, strict=True))
    ]


def _summed(pairs: Any) -> list[tuple[str, int]]:
    totals: Counter[str] = Counter()
    for name, size_bytes in pairs:
        totals[name] += size_bytes
    return totals.most_common()
