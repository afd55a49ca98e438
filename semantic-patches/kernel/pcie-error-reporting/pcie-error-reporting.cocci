// SPDX-License-Identifier: GPL-2.0-or-later
/// Drop calls of pci_enable_pcie_error_reporting()
///
/// The PCI core enables the reports of errors of each device since Linux 6.0,
/// so drivers need not.  In 6.12 they can call neither function.
//# A call whose value is used needs a look, and so does one that depends on
//# what a function returns.
// Confidence: High
// Options: --no-includes

@kept disable drop_else@
identifier f;
expression pdev;
statement S;
position p;
@@
(
 if (<+... f(...) ...+>) pci_enable_pcie_error_reporting@p(pdev);
|
 if (<+... f(...) ...+>) pci_disable_pcie_error_reporting@p(pdev);
|
 if (...) S else pci_enable_pcie_error_reporting@p(pdev);
|
 if (...) S else pci_disable_pcie_error_reporting@p(pdev);
|
 if (...) pci_enable_pcie_error_reporting@p(pdev); else S
|
 if (...) pci_disable_pcie_error_reporting@p(pdev); else S
)

@conditional@
expression condition, pdev;
position p != kept.p;
@@
-if (condition)
(
-pci_enable_pcie_error_reporting@p(pdev);
|
-pci_disable_pcie_error_reporting@p(pdev);
)

@dropped@
expression pdev;
position p != kept.p;
@@
(
-pci_enable_pcie_error_reporting@p(pdev);
|
-pci_disable_pcie_error_reporting@p(pdev);
|
-(void)pci_enable_pcie_error_reporting@p(pdev);
|
-(void)pci_disable_pcie_error_reporting@p(pdev);
)
