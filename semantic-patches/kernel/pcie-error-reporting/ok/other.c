// SPDX-License-Identifier: GPL-2.0-or-later
static int gadget_probe(struct pci_dev *pdev)
{
	int err = pci_enable_pcie_error_reporting(pdev);

	if (pci_enable_pcie_error_reporting(pdev))
		dev_warn(&pdev->dev, "no AER\n");
	return err;
}
