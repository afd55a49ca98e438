"""Run patchgen as `python3 -m patchgen`."""

from patchgen.cli.main import main

if __name__ == "__main__":
    main()
