"""`patchgen`, and `python -m patchgen`."""

from __future__ import annotations

import gc
from typing import NoReturn


def main() -> NoReturn:
    """Run patchgen with the words of the command line, and exit."""
    # Modules are made of objects that stay: to look for garbage among them takes a tenth of the
    # time in which they are imported. The command's own module is the last one.
    gc.disable()
    from patchgen.cli.main import main as run

    run()


if __name__ == "__main__":
    main()
