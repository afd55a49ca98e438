# SPDX-License-Identifier: GPL-2.0-or-later
"""Entry point of `patchgen` and `python -m patchgen`."""

from __future__ import annotations

import gc
import os
from typing import NoReturn


def main() -> NoReturn:
    """Run patchgen with the arguments of the command line, and exit."""
    # Imported modules live until exit. Looking for garbage among them takes a tenth of the import
    # time. The command's module is imported last, and turns collection on again.
    gc.disable()
    # pydantic would look for plugins in the metadata of all installed packages, and import them.
    os.environ["PYDANTIC_DISABLE_PLUGINS"] = "__all__"
    from patchgen.cli.main import main as run

    run()


if __name__ == "__main__":
    main()
