// SPDX-License-Identifier: GPL-2.0-or-later
/// Replace asoc_rtd_to_cpu() by snd_soc_rtd_to_cpu()
///
/// snd_soc_ is the usual prefix of ASoC's functions.
// Needs: include/sound/soc.h: snd_soc_rtd_to_cpu(
// Needs: include/sound/soc.h: snd_soc_rtd_to_codec(
// Needs: include/sound/soc.h: snd_soc_substream_to_rtd(
// Confidence: High
// Options: --no-includes --include-headers

@dai@
expression rtd, number;
@@
(
-asoc_rtd_to_cpu(
+snd_soc_rtd_to_cpu(
 rtd, number)
|
-asoc_rtd_to_codec(
+snd_soc_rtd_to_codec(
 rtd, number)
)

@runtime@
expression substream;
@@
-asoc_substream_to_rtd(
+snd_soc_substream_to_rtd(
 substream)
