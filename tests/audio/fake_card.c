/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A sound card for PipeWire that is not there: a speaker, and a headphone socket into
 * which something is plugged or from which it is pulled at SIGUSR1.  Prints the
 * card's id.  A node whose device.id is that belongs to it.
 */
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include <pipewire/impl.h>
#include <spa/monitor/device.h>
#include <spa/monitor/utils.h>
#include <spa/param/route.h>
#include <spa/pod/builder.h>

#define ROUTES 2

struct card {
	struct spa_device device;
	struct spa_hook_list hooks;
	struct spa_device_info info;
	struct spa_param_info params[1];
	bool plugged;
	struct pw_main_loop *loop;
	struct pw_proxy *proxy;
	struct spa_hook proxy_listener;
};

static void emit_info(struct card *c)
{
	c->info.change_mask = SPA_DEVICE_CHANGE_MASK_PARAMS;
	spa_device_emit_info(&c->hooks, &c->info);
}

static int add_listener(void *object, struct spa_hook *listener,
		const struct spa_device_events *events, void *data)
{
	struct card *c = object;
	struct spa_hook_list former;

	spa_hook_list_isolate(&c->hooks, &former, listener, events, data);
	emit_info(c);
	spa_hook_list_join(&c->hooks, &former);
	return 0;
}

static int sync_device(void *object, int seq)
{
	struct card *c = object;

	spa_device_emit_result(&c->hooks, seq, 0, 0, NULL);
	return 0;
}

static struct spa_pod *route(const struct card *c, uint32_t index, struct spa_pod_builder *b)
{
	struct spa_pod_frame object, info;
	uint32_t available = index == 0 ? SPA_PARAM_AVAILABILITY_unknown
		: c->plugged ? SPA_PARAM_AVAILABILITY_yes : SPA_PARAM_AVAILABILITY_no;

	spa_pod_builder_push_object(b, &object, SPA_TYPE_OBJECT_ParamRoute, SPA_PARAM_EnumRoute);
	spa_pod_builder_add(b,
		SPA_PARAM_ROUTE_index, SPA_POD_Int((int)index),
		SPA_PARAM_ROUTE_direction, SPA_POD_Id(SPA_DIRECTION_OUTPUT),
		SPA_PARAM_ROUTE_name, SPA_POD_String(index == 0 ? "speaker" : "headphones"),
		SPA_PARAM_ROUTE_available, SPA_POD_Id(available),
		0);
	spa_pod_builder_prop(b, SPA_PARAM_ROUTE_info, 0);
	spa_pod_builder_push_struct(b, &info);
	spa_pod_builder_int(b, 1);
	spa_pod_builder_string(b, "port.type");
	spa_pod_builder_string(b, index == 0 ? "speaker" : "headphones");
	spa_pod_builder_pop(b, &info);
	return spa_pod_builder_pop(b, &object);
}

static int enum_params(void *object, int seq, uint32_t id, uint32_t start, uint32_t num,
		const struct spa_pod *filter)
{
	struct card *c = object;

	(void)filter;
	if (id != SPA_PARAM_EnumRoute)
		return -ENOENT;
	for (uint32_t i = start; i < ROUTES && i - start < num; i++) {
		uint8_t space[1024];
		struct spa_pod_builder b = SPA_POD_BUILDER_INIT(space, sizeof(space));
		struct spa_result_device_params result = {
			.id = id, .index = i, .next = i + 1, .param = route(c, i, &b),
		};

		spa_device_emit_result(&c->hooks, seq, 0, SPA_RESULT_TYPE_DEVICE_PARAMS, &result);
	}
	return 0;
}

static int set_param(void *object, uint32_t id, uint32_t flags, const struct spa_pod *param)
{
	(void)object, (void)id, (void)flags, (void)param;
	return -ENOTSUP;
}

static const struct spa_device_methods methods = {
	.version = SPA_VERSION_DEVICE_METHODS,
	.add_listener = add_listener,
	.sync = sync_device,
	.enum_params = enum_params,
	.set_param = set_param,
};

static void on_bound(void *data, uint32_t id)
{
	(void)data;
	printf("%u\n", id);
	fflush(stdout);
}

static const struct pw_proxy_events proxy_events = {
	.version = PW_VERSION_PROXY_EVENTS,
	.bound = on_bound,
};

static void on_plug(void *data, int signal)
{
	struct card *c = data;

	(void)signal;
	c->plugged = !c->plugged;
	c->params[0].flags ^= SPA_PARAM_INFO_SERIAL;
	emit_info(c);
}

static void on_end(void *data, int signal)
{
	struct card *c = data;

	(void)signal;
	pw_main_loop_quit(c->loop);
}

static int serve(struct card *c, struct pw_core *core)
{
	struct pw_loop *l = pw_main_loop_get_loop(c->loop);
	struct pw_properties *props = pw_properties_new(
		PW_KEY_MEDIA_CLASS, "Audio/Device", PW_KEY_DEVICE_NAME, "vsnd-test-card", NULL);

	c->proxy = pw_core_export(core, SPA_TYPE_INTERFACE_Device, &props->dict, &c->device, 0);
	pw_properties_free(props);
	if (!c->proxy)
		return 1;
	pw_proxy_add_listener(c->proxy, &c->proxy_listener, &proxy_events, c);
	pw_loop_add_signal(l, SIGUSR1, on_plug, c);
	pw_loop_add_signal(l, SIGTERM, on_end, c);
	pw_main_loop_run(c->loop);
	return 0;
}

int main(int argc, char **argv)
{
	static struct card card;
	struct pw_context *context;
	struct pw_core *core;
	sigset_t signals;
	int status = 1;

	/* On all threads, PipeWire's included: the loop takes them. */
	sigemptyset(&signals);
	sigaddset(&signals, SIGUSR1);
	sigaddset(&signals, SIGTERM);
	sigprocmask(SIG_BLOCK, &signals, NULL);
	pw_init(&argc, &argv);
	spa_hook_list_init(&card.hooks);
	card.device.iface = SPA_INTERFACE_INIT(SPA_TYPE_INTERFACE_Device, SPA_VERSION_DEVICE,
		&methods, &card);
	card.params[0] = (struct spa_param_info){
		.id = SPA_PARAM_EnumRoute,
		.flags = SPA_PARAM_INFO_READ,
	};
	card.info = SPA_DEVICE_INFO_INIT();
	card.info.params = card.params;
	card.info.n_params = 1;
	card.loop = pw_main_loop_new(NULL);
	context = pw_context_new(pw_main_loop_get_loop(card.loop), NULL, 0);
	core = pw_context_connect(context, NULL, 0);
	if (core)
		status = serve(&card, core);
	pw_context_destroy(context);
	pw_main_loop_destroy(card.loop);
	return status;
}
