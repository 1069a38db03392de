/* SPDX-License-Identifier: BSD-3-Clause */
/* Tables: what the numbers on the wire are called. */
#include "probe/names.h"

#include <stddef.h>
#include <strings.h>

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

const struct pcm_format pcm_formats[PCM_FORMATS] = {
	[0] = { "IMA_ADPCM", 0, 0, '-' },
	[1] = { "MU_LAW", 0, 1, '-' },
	[2] = { "A_LAW", 0, 1, '-' },
	[3] = { "S8", 8, 1, 's' },
	[4] = { "U8", 8, 1, 'u' },
	[5] = { "S16", 16, 2, 's' },
	[6] = { "U16", 16, 2, 'u' },
	[7] = { "S18_3", 18, 3, 's' },
	[8] = { "U18_3", 18, 3, 'u' },
	[9] = { "S20_3", 20, 3, 's' },
	[10] = { "U20_3", 20, 3, 'u' },
	[11] = { "S24_3", 24, 3, 's' },
	[12] = { "U24_3", 24, 3, 'u' },
	[13] = { "S20", 20, 4, 's' },
	[14] = { "U20", 20, 4, 'u' },
	[15] = { "S24", 24, 4, 's' },
	[16] = { "U24", 24, 4, 'u' },
	[17] = { "S32", 32, 4, 's' },
	[18] = { "U32", 32, 4, 'u' },
	[19] = { "FLOAT", 32, 4, 'f' },
	[20] = { "FLOAT64", 64, 8, 'f' },
	[21] = { "DSD_U8", 0, 1, '-' },
	[22] = { "DSD_U16", 0, 2, '-' },
	[23] = { "DSD_U32", 0, 4, '-' },
	[24] = { "IEC958_SUBFRAME", 0, 4, '-' },
};

const uint32_t pcm_rates[PCM_RATES] = { 5512, 8000, 11025, 16000, 22050, 32000, 44100, 48000, 64000,
	88200, 96000, 176400, 192000, 384000, 12000, 24000 };

const char *const pcm_positions[PCM_POSITIONS] = { "NONE", "NA", "MONO", "FL", "FR", "RL", "RR",
	"FC", "LFE", "SL", "SR", "RC", "FLC", "FRC", "RLC", "RRC", "FLW", "FRW", "FLH", "FCH",
	"FRH", "TC", "TFL", "TFR", "TFC", "TRL", "TRR", "TRC", "TFLC", "TFRC", "TSL", "TSR",
	"LLFE", "RLFE", "BC", "BLC", "BRC" };

const char *const pcm_features[5] = { "SHMEM_HOST", "SHMEM_GUEST", "MSG_POLLING",
	"EVT_SHMEM_PERIODS", "EVT_XRUNS" };

static const char *const virtio_features[] = {
	[0] = "SND_F_CTLS",
	[24] = "NOTIFY_ON_EMPTY",
	[26] = "VHOST_F_LOG_ALL",
	[27] = "ANY_LAYOUT",
	[28] = "INDIRECT_DESC",
	[29] = "EVENT_IDX",
	[30] = "VHOST_USER_PROTOCOL_FEATURES",
	[32] = "VERSION_1",
	[33] = "ACCESS_PLATFORM",
	[34] = "RING_PACKED",
	[35] = "IN_ORDER",
	[36] = "ORDER_PLATFORM",
	[37] = "SR_IOV",
	[38] = "NOTIFICATION_DATA",
	[39] = "NOTIF_CONFIG_DATA",
	[40] = "RING_RESET",
	[41] = "ADMIN_VQ",
	[43] = "SUSPEND",
};

static const char *const protocol_features[] = { "MQ", "LOG_SHMFD", "RARP", "REPLY_ACK", "MTU",
	"BACKEND_REQ", "CROSS_ENDIAN", "CRYPTO_SESSION", "PAGEFAULT", "CONFIG", "BACKEND_SEND_FD",
	"HOST_NOTIFIER", "INFLIGHT_SHMFD", "RESET_DEVICE", "INBAND_NOTIFICATIONS",
	"CONFIGURE_MEM_SLOTS", "STATUS", "XEN_MMAP", "SHARED_OBJECT", "DEVICE_STATE",
	"GET_VRING_BASE_INFLIGHT", "GPA_ADDRESSES", "SHMEM_MAP" };

static const char *const hda_devices[16] = { "line out", "speaker", "headphones", "CD",
	"SPDIF out", "digital out", "modem line", "modem handset", "line in", "aux", "microphone",
	"telephony", "SPDIF in", "digital in", "reserved", "other" };
static const char *const hda_connections[16] = { "unknown", "1/8 inch", "1/4 inch", "ATAPI", "RCA",
	"optical", "other digital", "other analog", "DIN", "XLR", "RJ-11", "combination",
	"reserved", "reserved", "reserved", "other" };
static const char *const hda_colours[16] = { "unknown", "black", "grey", "blue", "green", "red",
	"orange", "yellow", "purple", "pink", "reserved", "reserved", "reserved", "reserved",
	"white", "other" };
static const char *const hda_places[16] = { "n/a", "rear", "front", "left", "right", "top",
	"bottom", "special 7", "special 8", "special 9", "reserved", "reserved", "reserved",
	"reserved", "reserved", "reserved" };
static const char *const hda_ports[4] = { "jack", "none", "fixed", "jack and fixed" };

int pcm_format_find(const char *name)
{
	for (int i = 0; i < PCM_FORMATS; i++)
		if (!strcasecmp(pcm_formats[i].name, name))
			return i;
	return -1;
}

int pcm_rate_find(uint32_t hz)
{
	for (int i = 0; i < PCM_RATES; i++)
		if (pcm_rates[i] == hz)
			return i;
	return -1;
}

const char *virtio_feature_name(unsigned bit)
{
	return bit < COUNT(virtio_features) && virtio_features[bit] ? virtio_features[bit]
								     : "reserved";
}

const char *protocol_feature_name(unsigned bit)
{
	return bit < COUNT(protocol_features) ? protocol_features[bit] : "reserved";
}

const char *status_name(uint32_t code)
{
	static const char *const names[] = { "OK", "BAD_MSG", "NOT_SUPP", "IO_ERR" };

	return code - 0x8000 < COUNT(names) ? names[code - 0x8000] : "an undefined status";
}

const char *request_name(uint32_t code)
{
	static const char *const jack[] = { "JACK_INFO", "JACK_REMAP" };
	static const char *const pcm[] = { "PCM_INFO", "PCM_SET_PARAMS", "PCM_PREPARE",
		"PCM_RELEASE", "PCM_START", "PCM_STOP" };
	static const char *const ctl[] = { "CTL_INFO", "CTL_ENUM_ITEMS", "CTL_READ", "CTL_WRITE",
		"CTL_TLV_READ", "CTL_TLV_WRITE", "CTL_TLV_COMMAND" };

	if (code - 0x001 < COUNT(jack))
		return jack[code - 0x001];
	if (code - 0x100 < COUNT(pcm))
		return pcm[code - 0x100];
	if (code - 0x300 < COUNT(ctl))
		return ctl[code - 0x300];
	return code == 0x200 ? "CHMAP_INFO" : "an unknown request";
}

const char *position_name(unsigned position)
{
	return position < PCM_POSITIONS ? pcm_positions[position] : "reserved";
}

const char *hda_device(uint32_t defconf)
{
	return hda_devices[defconf >> 20 & 15];
}

const char *hda_connection(uint32_t defconf)
{
	return hda_connections[defconf >> 16 & 15];
}

const char *hda_colour(uint32_t defconf)
{
	return hda_colours[defconf >> 12 & 15];
}

const char *hda_place(uint32_t defconf)
{
	if ((defconf >> 24 & 0x3f) == 0x18)
		return "HDMI";
	return hda_places[defconf >> 24 & 15];
}

const char *hda_port(uint32_t defconf)
{
	return hda_ports[defconf >> 30];
}
