// SPDX-License-Identifier: GPL-2.0-or-later
static int gadget_probe(struct pci_dev *pdev)
{
	int err = pci_enable_pcie_error_reporting(pdev);

	if (pci_enable_pcie_error_reporting(pdev))
		dev_warn(&pdev->dev, "no AER\n");
	return err;
}

static void gadget_remove(struct pci_dev *pdev)
{
	if (gadget_count(pdev) == 1)
		pci_disable_pcie_error_reporting(pdev);
	if (gadget->is_early)
		gadget_stop(pdev);
	else
		pci_disable_pcie_error_reporting(pdev);
	if (gadget->is_on)
		pci_enable_pcie_error_reporting(pdev);
	else
		pci_disable_pcie_error_reporting(pdev);
	gadget_stop(pdev);
}
