"""openapi.json of the test-bench profile: bare answers, no token, errors as {"detail"}."""
from emit_openapi import body_of, parameters_of
from emit_schema import closure, message_schema, reference, schema_name
from model import ERRORS
from openapi_words import REASONS

FAULTS = {"type": "array", "description": "What is wrong, one a field.", "items": {
    "type": "object", "required": ["loc", "msg", "type"], "properties": {
        "loc": {"type": "array", "items": {"type": ["string", "integer"]}, "description": "Path of the field at fault."},
        "msg": {"type": "string", "description": "What is wrong with it."},
        "type": {"type": "string", "description": "Kind of fault."}}}}
SCHEMAS = {
    "Detail": {"type": "object", "description": "An error.", "required": ["detail"], "properties": {
        "detail": {"type": "string", "description": "One sentence for a person."}}},
    "Invalid": {"type": "object", "description": "What is wrong with a request.", "required": ["detail"],
                "properties": {"detail": FAULTS}},
}
WHY = {"400": "The present state does not allow it.", "503": "The service behind it is not there now."}
TAGS = {"sessions": "One session at a time, as the bench's page wants it.", "sensors": "Readings of the session."}


def openapi_bench(schema, version):
    paths = {}
    endpoints = schema.endpoints_of("bench")
    for endpoint in endpoints:
        paths.setdefault(endpoint.path, {})[endpoint.method.lower()] = _operation(schema, endpoint)
    used = closure(schema, [n for e in endpoints for n in (e.body, e.answer)])
    return {
        "openapi": "3.1.0",
        "info": {"title": "Gantry, test bench", "version": version, "description": "Test sessions and their readings.",
                 "contact": {"name": "Gantry"}, "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"}},
        "servers": [{"url": "/", "description": "This gateway."}],
        "tags": [{"name": tag, "description": TAGS.get(tag, f"All about {tag}.")} for tag in dict.fromkeys(e.tag for e in endpoints)],
        "paths": paths,
        "components": {"schemas": {**SCHEMAS, **{schema_name(m.name): message_schema(schema, m) for m in used}}},
        "security": [],
    }


def _error(name, doc):
    return {"description": doc, "content": {"application/json": {"schema": {"$ref": f"#/components/schemas/{name}"}}}}


def _operation(schema, endpoint):
    out = {"operationId": endpoint.id, "tags": [endpoint.tag], "summary": endpoint.doc, "description": endpoint.about or endpoint.doc,
           "parameters": parameters_of(schema, endpoint), **body_of(schema, endpoint)}
    answer = reference(endpoint.answer) if endpoint.answer else {}
    if endpoint.envelope == "array":
        answer = {"type": "array", "items": answer}
    out["responses"] = {"200": {"description": "Done.", "content": {endpoint.answer_type: {"schema": answer}}}}
    if endpoint.params or endpoint.body:
        out["responses"]["422"] = _error("Invalid", REASONS[422])
    for status in sorted({"400" if ERRORS[e] == 409 else "503" for e in endpoint.errors}):
        out["responses"][status] = _error("Detail", WHY[status])
    return out
