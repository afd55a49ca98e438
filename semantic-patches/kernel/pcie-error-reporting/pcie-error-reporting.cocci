// SPDX-License-Identifier: GPL-2.0-or-later
/// Drop calls of pci_enable_pcie_error_reporting()
///
/// The PCI core enables the reports of errors of each device since Linux 6.0,
/// so drivers need not.  In 6.12 they can call neither function.
//# A call whose value is used needs a look.
// Confidence: High
// Options: --no-includes

@dropped@
expression pdev;
@@
(
-pci_enable_pcie_error_reporting(pdev);
|
-pci_disable_pcie_error_reporting(pdev);
)
