// SPDX-License-Identifier: GPL-2.0-or-later
/// Give iommu_map() and iommu_map_sg() the flags of their allocations
///
/// Linux 6.3 removed iommu_map_atomic() and iommu_map_sg_atomic(): callers
/// choose the flags.
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
