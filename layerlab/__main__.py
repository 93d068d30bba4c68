"""``python3 -m layerlab VERB`` from a bare checkout: makes the environment first, then runs the verb in it.

Knows no dependency of the course, and must stay readable to Pythons too old to run the rest.
"""

from __future__ import annotations

import sys

OLDEST = (3, 11)


def main() -> int:
    """Prepare the environment where needed, then hand the command line to the verbs."""
    if sys.version_info < OLDEST:
        found = ".".join(map(str, sys.version_info[:3]))
        wanted = ".".join(map(str, OLDEST))
        sys.stderr.write(
            f"This is Python {found}, and Layer Lab needs {wanted} or newer. "
            f"Install one and name it: `make lab PYTHON=python{wanted}`, "
            "or `uv run --no-project --python 3.12 python -m layerlab lab`.\n"
        )
        return 2

    from layerlab.errors import LayerLabError
    from layerlab.setup import bootstrap

    try:
        bootstrap.ensure(sys.argv[1:])
    except LayerLabError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    except KeyboardInterrupt:
        sys.stderr.write("\nStopped. The next start goes on from a clean environment.\n")
        return 130

    from layerlab.cli import main as verbs

    verbs(prog_name="layerlab")
    return 0


if __name__ == "__main__":
    sys.exit(main())
