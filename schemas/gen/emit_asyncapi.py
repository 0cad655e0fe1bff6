"""asyncapi.json: AsyncAPI 3.0 from topics and requests."""
from emit_schema import closure, message_schema, schema_name


def asyncapi(schema, version):
    names = [t.message for t in schema.topics] + [n for r in schema.requests for n in (r.takes, r.gives)]
    used = closure(schema, names)
    channels, operations = {}, {}
    for topic in schema.topics:
        _topic(topic, channels, operations)
    for request in schema.requests:
        _request(request, channels, operations)
    return {
        "asyncapi": "3.0.0",
        "info": {"title": "Gantry bus", "version": version,
                 "description": "Three ZeroMQ frames: topic or request name, header (sys_header), body; "
                                "header and body are msgpack maps with field names."},
        "defaultContentType": "application/msgpack",
        "channels": channels,
        "operations": operations,
        "components": {
            "messages": {schema_name(m.name): {
                "name": m.name, "summary": m.doc,
                "payload": {"$ref": f"#/components/schemas/{schema_name(m.name)}"}} for m in used},
            "schemas": {schema_name(m.name): message_schema(schema, m, wire=True) for m in used},
        },
    }


def _channel(address, doc, *messages):
    return {"address": address, "description": doc, "messages": {
        schema_name(name): {"$ref": f"#/components/messages/{schema_name(name)}"} for name in messages}}


def _topic(topic, channels, operations):
    key = topic.macro.lower()
    channel = _channel(topic.name, topic.doc, topic.message)
    if topic.instanced:
        name = topic.name[topic.name.index("{") + 1:-1]
        channel["parameters"] = {name: {"description": "Instance."}}
    channel |= {"x-kind": topic.kind, "x-durable": topic.durable, "x-rate-hz": topic.rate_hz}
    channels[key] = channel
    link = {"$ref": f"#/channels/{key}"}
    operations[f"{key}_send"] = {"action": "send", "channel": link, "x-producer": topic.producer}
    operations[f"{key}_receive"] = {"action": "receive", "channel": link, "x-consumers": topic.consumers}


def _request(request, channels, operations):
    key = request.macro.lower()
    channels[key] = _channel(request.name, request.doc, request.takes)
    channels[f"{key}_reply"] = _channel(None, f"Reply to {request.name}.", request.gives)
    operations[key] = {
        "action": "receive", "channel": {"$ref": f"#/channels/{key}"}, "summary": request.doc,
        "reply": {"channel": {"$ref": f"#/channels/{key}_reply"}},
        "x-server": request.server, "x-lane": request.lane, "x-timeout-ms": request.timeout_ms,
        "x-errors": request.errors,
    }
