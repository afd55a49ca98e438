// SPDX-License-Identifier: GPL-2.0-or-later
static int gadget_map(struct gadget *gadget, struct sg_table *sgt)
{
	if (iommu_map(gadget->domain, 0, gadget->phys, PAGE_SIZE, IOMMU_READ))
		return -ENOMEM;
	if (iommu_map_sg(gadget->domain, gadget->iova, sgt->sgl, sgt->nents, prot) < 0)
		return -ENOMEM;
	iommu_map_sg_atomic(gadget->domain, 0, sgt->sgl, sgt->nents, prot);
	return iommu_map_atomic(gadget->domain, 0, gadget->phys, SZ_4K, prot);
}
