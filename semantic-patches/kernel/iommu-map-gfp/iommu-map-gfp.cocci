// SPDX-License-Identifier: GPL-2.0-or-later
/// Give iommu_map() and iommu_map_sg() the flags of their allocations
///
/// iommu_map() and iommu_map_sg() take the flags, so callers need no variant
/// for atomic context.
// Needs: include/linux/iommu.h: iommu_map_sg(struct iommu_domain *domain, unsigned long iova, struct scatterlist *sg, unsigned int nents, int prot, gfp_t gfp)
// Needs: include/linux/iommu.h: iommu_map(struct iommu_domain *domain, unsigned long iova, phys_addr_t paddr, size_t size, int prot, gfp_t gfp)
// Confidence: High
// Options: --no-includes --include-headers

@sleeping@
expression domain, iova, what, size, prot;
@@
(
 iommu_map(domain, iova, what, size, prot
+, GFP_KERNEL
 )
|
 iommu_map_sg(domain, iova, what, size, prot
+, GFP_KERNEL
 )
)

@atomic@
expression domain, iova, what, size, prot;
@@
(
-iommu_map_atomic(
+iommu_map(
 domain, iova, what, size, prot
+, GFP_ATOMIC
 )
|
-iommu_map_sg_atomic(
+iommu_map_sg(
 domain, iova, what, size, prot
+, GFP_ATOMIC
 )
)
