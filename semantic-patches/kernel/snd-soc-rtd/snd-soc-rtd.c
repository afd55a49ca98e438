// SPDX-License-Identifier: GPL-2.0-or-later
static int gadget_startup(struct snd_pcm_substream *substream)
{
	struct snd_soc_pcm_runtime *rtd = asoc_substream_to_rtd(substream);
	struct snd_soc_dai *cpu = asoc_rtd_to_cpu(rtd, 0);

	return gadget_set(cpu, asoc_rtd_to_codec(rtd, 1)->dev);
}
