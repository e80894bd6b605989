#include "serve/introspect.h"

#include "base/buf.h"
#include "serve/methods.h"
#include "serve/reply.h"
#include "serve/request.h"
#include "value/json.h"

const char introspect_service_text[] =
	"# What every Varlink service says about itself.\n"
	"interface org.varlink.service\n"
	"\n"
	"# Who made it, and the interfaces it serves.\n"
	"method GetInfo() -> (\n"
	"  vendor: string,\n"
	"  product: string,\n"
	"  version: string,\n"
	"  url: string,\n"
	"  interfaces: []string\n"
	")\n"
	"\n"
	"# The text of one of these interfaces.\n"
	"method GetInterfaceDescription(interface: string)\n"
	"  -> (description: string)\n"
	"\n"
	"error InterfaceNotFound(interface: string)\n"
	"error MethodNotFound(method: string)\n"
	"error MethodNotImplemented(method: string)\n"
	"error InvalidParameter(parameter: string)\n"
	"error PermissionDenied()\n"
	"error ExpectedMore()\n";

const char introspect_clearconf_text[] =
#include "io_clearconf_idl.h"
	;

void introspect_get_info(struct request *request)
{
	struct buf *fields = reply_open(request->out);
	const struct interface *interface = methods_interfaces;

	json_add_string(fields, "vendor", "clearconf");
	json_add_string(fields, "product", "clearconfd");
	json_add_string(fields, "version", CLEARCONF_VERSION);
	json_add_string(fields, "url", "clearconf");
	json_key(fields, "interfaces");
	for (; interface->name; interface++) {
		buf_putc(fields, interface == methods_interfaces ? '[' : ',');
		json_write_string(fields, str_from(interface->name));
	}
	buf_putc(fields, ']');
	reply_close(request->out, false);
}

void introspect_get_description(struct request *request)
{
	struct str name = call_string(request->call, "interface");
	const struct interface *interface = methods_interfaces;

	while (interface->name && !str_is(name, interface->name))
		interface++;
	if (!interface->name) {
		reply_error(request->out, REPLY_INTERFACE_NOT_FOUND, name);
		return;
	}
	json_add_string(reply_open(request->out), "description",
			interface->description);
	reply_close(request->out, false);
}
