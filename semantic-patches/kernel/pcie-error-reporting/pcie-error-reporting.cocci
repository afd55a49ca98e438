// SPDX-License-Identifier: GPL-2.0-or-later
/// Drop calls of pci_enable_pcie_error_reporting()
///
/// The PCI core enables the reports of errors of each device since Linux 6.0,
/// so drivers need not.  In 6.12 they can call neither function.
//# A call whose value is used needs a look, and so does one that depends on
//# what a function returns.
// Confidence: High
// Options: --no-includes

@called@
identifier f;
expression pdev;
position p;
@@
 if (<+... f(...) ...+>)
(
 pci_enable_pcie_error_reporting@p(pdev);
|
 pci_disable_pcie_error_reporting@p(pdev);
)

@with_else disable drop_else@
expression pdev;
statement S;
position p;
@@
 if (...)
(
 pci_enable_pcie_error_reporting@p(pdev);
|
 pci_disable_pcie_error_reporting@p(pdev);
)
 else S

@of_else disable drop_else@
expression pdev;
statement S;
position p;
@@
 if (...) S else
(
 pci_enable_pcie_error_reporting@p(pdev);
|
 pci_disable_pcie_error_reporting@p(pdev);
)

@conditional@
expression condition, pdev;
position p != {called.p, with_else.p, of_else.p};
@@
-if (condition)
(
-pci_enable_pcie_error_reporting@p(pdev);
|
-pci_disable_pcie_error_reporting@p(pdev);
)

@dropped@
expression pdev;
position p != {called.p, with_else.p, of_else.p};
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
