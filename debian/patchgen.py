#!/usr/bin/python3 -I
# SPDX-License-Identifier: GPL-2.0-or-later
"""Run patchgen with its own Python packages, and none that the user has installed."""

import sys

sys.path.insert(0, "/usr/lib/patchgen")

from patchgen.__main__ import main

main()
