// SPDX-License-Identifier: GPL-2.0-or-later
static int gadget_map(struct gadget *gadget)
{
	iommu_unmap(gadget->domain, 0, PAGE_SIZE);
	return iommu_map(gadget->domain, 0, gadget->phys, PAGE_SIZE, IOMMU_READ, GFP_KERNEL);
}
