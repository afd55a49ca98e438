# SPDX-License-Identifier: GPL-2.0-or-later
from .delivery import (
    DeliveryReport as DeliveryReport,
)
