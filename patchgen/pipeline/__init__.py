# SPDX-License-Identifier: GPL-2.0-or-later
"""From a plan to a published series: generate, prepare the mails, write commits and branch."""
