// SPDX-License-Identifier: GPL-2.0-or-later
static int gadget_startup(struct snd_pcm_substream *substream)
{
	struct snd_soc_pcm_runtime *rtd = snd_soc_substream_to_rtd(substream);

	return gadget_set(snd_soc_rtd_to_cpu(rtd, 0), rtd->asoc_rtd_to_cpu);
}
