// SPDX-License-Identifier: GPL-2.0-or-later
static int gadget_probe(struct pci_dev *pdev)
{
	int err = pci_enable_device(pdev);

	if (err)
		return err;
	pci_enable_pcie_error_reporting(pdev);
	pci_set_master(pdev);
	if (!gadget_start(pdev))
		return 0;
	pci_disable_pcie_error_reporting(pdev);
	return -EIO;
}

static void gadget_remove(struct pci_dev *pdev, struct gadget *gadget)
{
	if (gadget->has_aer)
		pci_disable_pcie_error_reporting(pdev);
	(void)pci_disable_pcie_error_reporting(pdev);
	gadget_stop(gadget);
}
