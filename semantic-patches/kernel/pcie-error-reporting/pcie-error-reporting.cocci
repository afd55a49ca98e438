// SPDX-License-Identifier: GPL-2.0-or-later
/// Drop calls of pci_enable_pcie_error_reporting()
///
/// The PCI core enables the error reports of each device, so drivers need not.
//# Please check calls whose value is used, and calls that depend on the value
//# of another function.
// Needs: drivers/pci/pcie/aer.c: if (pci_aer_available()) pci_enable_pcie_error_reporting(dev);
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
