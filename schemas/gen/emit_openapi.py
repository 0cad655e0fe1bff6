"""openapi.json: OpenAPI 3.1 from the endpoints. What it says in words is in openapi_words.py."""
from emit_example import TIME, TRACE, field_example, message_example
from emit_schema import closure, field_schema, message_schema, reference, schema_name
from model import ERRORS
from openapi_words import CODES, HEADERS, REASONS, SUMMARY, TAGS

ERROR = "http.error"
FREE_BODY = "http.json_body"  # its one field is the whole body
REDIRECTS = (301, 302, 303, 304, 307, 308)
ENVELOPE_PARAMETER = {"name": "envelope", "in": "query", "required": False, "schema": {"type": "string", "enum": ["none"]},
                      "description": "none: what stands in `data`, by itself."}
CONDITION_PARAMETER = {"name": "If-None-Match", "in": "header", "required": False, "schema": {"type": "string"},
                       "description": "An ETag; 304 when it names the present content."}

VERSION_PARAMETER = {"name": "If-Match", "in": "header", "required": False, "schema": {"type": "string"},
                     "description": "The ETag that was read; 412 when somebody has changed it since."}


def openapi(schema, version):
    paths = {}
    endpoints = schema.endpoints_of("http")
    for endpoint in endpoints:
        paths.setdefault(endpoint.path, {})[endpoint.method.lower()] = _operation(schema, endpoint)
    used = closure(schema, [n for e in endpoints for n in (e.body, e.answer) if n != FREE_BODY] + [ERROR] * (ERROR in schema.messages))
    return {
        "openapi": "3.1.0",
        "info": {"title": "Gantry", "version": version, "description": SUMMARY, "contact": {"name": "Gantry"},
                 "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"}},
        "servers": [{"url": "/", "description": "This gateway."}],
        "tags": [{"name": tag, "description": TAGS.get(tag, f"All about {tag}.")} for tag in dict.fromkeys(e.tag for e in endpoints)],
        "paths": paths,
        "components": {
            "schemas": {schema_name(m.name): message_schema(schema, m) for m in used},
            "responses": {str(status): _error_response(schema, status) for status in _statuses(paths)},
            "headers": HEADERS,
            "securitySchemes": {"bearer": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT",
                                           "description": "The `access_token` of POST /api/v1/auth/login."}},
        },
        "security": [{"bearer": []}],
    }


def _operation(schema, endpoint):
    out = {"operationId": endpoint.id, "tags": [endpoint.tag], "summary": endpoint.doc, "description": _description(endpoint)}
    parameters = parameters_of(schema, endpoint)
    if parameters:
        out["parameters"] = parameters
    out |= body_of(schema, endpoint)
    out["responses"] = _responses(schema, endpoint)
    out["security"] = [] if endpoint.permission == "public" else [{"bearer": []}]
    out["x-permission"] = endpoint.permission
    return out


def _description(endpoint):
    who = {"public": "Anybody may ask.", "authenticated": "Any valid token will do."}
    out = [endpoint.about.lstrip("\n") or endpoint.doc, who.get(endpoint.permission, f"Needs the permission `{endpoint.permission}`.")]
    if endpoint.rate_exempt or endpoint.ends_movement:
        out.append("Exempt from rate limits.")
    if not endpoint.built:
        out.append("Not built in this version.")
    return " ".join(out)


def parameters_of(schema, endpoint):
    if not endpoint.built:
        return [{"name": name, "in": "path", "required": True, "description": "Names it.", "schema": {"type": "string"}}
                for name in endpoint.path_parameters]
    params = schema.messages.get(endpoint.params)
    out = []
    for field in params.fields if params else []:
        in_path = field.name in endpoint.path_parameters
        body = field_schema(schema, field)
        parameter = {"name": field.name, "in": "path" if in_path else "query",
                     "required": not field.optional, "description": body.pop("description"), "schema": body}
        if not field.optional or field.example is not None:
            parameter["example"] = field_example(schema, field)
        out.append(parameter)
    out += [ENVELOPE_PARAMETER] if endpoint.envelope in ("object", "list") else []
    out += [VERSION_PARAMETER] if _is_change(endpoint) else []
    return out + ([CONDITION_PARAMETER] if endpoint.conditional else [])


def _is_change(endpoint):
    return endpoint.versioned and endpoint.method != "GET"


def body_of(schema, endpoint):
    """The member `requestBody`, where the route takes one."""
    if endpoint.body:
        free = endpoint.body == FREE_BODY
        body = {"type": "object", "description": schema.messages[FREE_BODY].doc} if free else reference(endpoint.body)
        example = endpoint.example or ({} if free else message_example(schema, endpoint.body, True))
        content = {"application/json": {"schema": body, "example": example}}
        return {"requestBody": {"required": not endpoint.body_optional, "content": content}}
    if endpoint.body_type != "application/json":
        return {"requestBody": {"required": True, "content": {
            kind: {"schema": {"type": "string", "format": "binary"}} for kind in endpoint.body_type.split(", ")}}}
    return {}


# ---- answers

def _responses(schema, endpoint):
    if not endpoint.built:
        return _errors(endpoint, {500, 501})
    success = {"description": "Done.", "headers": _headers(endpoint)}
    if endpoint.status in REDIRECTS:
        success = {"description": "It is there.", "headers": {**_headers(endpoint), "Location": _header("Location")}}
    if endpoint.answer:
        data, example = reference(endpoint.answer), message_example(schema, endpoint.answer)
        if endpoint.envelope == "array":
            data, example = {"type": "array", "items": data}, [example]
        elif endpoint.envelope != "none":
            data, example = _enveloped(endpoint.envelope, data), _enveloped_example(endpoint, example)
        success["content"] = {"application/json": {"schema": data, "example": example}}
    elif endpoint.status != 204 and endpoint.status not in REDIRECTS:
        success["content"] = {kind: {"schema": {}} for kind in endpoint.answer_type.split(", ")}
    out = {str(endpoint.status): success}
    if endpoint.ranges:
        out["206"] = {**success, "description": "The part that Range asks for."}
    if endpoint.ranges or endpoint.conditional:
        out["304"] = {"description": "As If-None-Match has it already.", "headers": _headers(endpoint)}
    return {**out, **_errors(endpoint, _error_statuses(endpoint))}


def _error_statuses(endpoint):
    out = {ERRORS[error] for error in endpoint.errors} | {500}
    if endpoint.params or endpoint.body:
        out.add(422)
    if endpoint.body or endpoint.body_type != "application/json":
        out.add(413)
    if _is_change(endpoint):
        out.add(412)
    if endpoint.ranges:
        out.add(416)
    return out


def _errors(endpoint, statuses):
    """References to the error answers: those named and those that follow from the door's rules."""
    if endpoint.permission != "public":
        statuses |= {503, 504}  # of who may come in, and of most of what is asked, another service knows
        statuses |= {401} if endpoint.permission == "authenticated" else {401, 403}
    if not endpoint.rate_exempt:
        statuses.add(429)
    return {str(s): {"$ref": f"#/components/responses/{s}"} for s in sorted(statuses)}


def _header(name):
    return {"$ref": f"#/components/headers/{name}"}


def _headers(endpoint):
    out = {"X-Request-Id": _header("RequestId")}
    if not endpoint.rate_exempt and not endpoint.ends_movement:
        out |= {"X-RateLimit-Limit": _header("RateLimit"), "X-RateLimit-Remaining": _header("RateRemaining")}
    if endpoint.versioned:
        out["ETag"] = _header("Version")
    elif endpoint.conditional or endpoint.ranges:
        out["ETag"] = _header("ETag")
    return out


def _statuses(paths):
    """The error statuses that some operation answers with."""
    answers = {status for path in paths.values() for operation in path.values()
               for status in operation["responses"]}
    return sorted(status for status in REASONS if str(status) in answers)


def _error_response(schema, status):
    special = {401: {"WWW-Authenticate": _header("Authenticate")}, 429: {"Retry-After": _header("RetryAfter")}}
    content = {"schema": reference(ERROR)} if ERROR in schema.messages else {"schema": {"type": "object"}}
    content["examples"] = {code: {"summary": code, "value": _error_example(status, code, text)}
                           for code, text in CODES[status].items()}
    return {"description": f"{REASONS[status]} Codes: {', '.join(f'`{code}`' for code in CODES[status])}.",
            "headers": {"X-Request-Id": _header("RequestId"), **special.get(status, {})},
            "content": {"application/json": content}}


def _error_example(status, code, text):
    field, _, rest = text.partition(": ")
    details = [{"field": field, "message": rest}] if status == 422 else []
    return {"success": False, "error": text, "detail": text, "code": code, "details": details, "timestamp": TIME,
            "request_id": TRACE}


# ---- envelopes

def _count(doc):
    return {"type": "integer", "minimum": 0, "description": doc}


def _enveloped(kind, data):
    """What stands around data: docs in envelope.h of the gateway."""
    properties = {"success": {"type": "boolean", "const": True, "description": "Always true."}, "data": data}
    if kind == "list":
        data = properties["data"] = {"type": "array", "items": data}
        total = _count("Rows in all; absent where counting them would cost more than the page.")
        properties |= {
            "total_count": total, "page": _count("Number of this page, from 1."), "limit": _count("Rows asked for."),
            "meta": {"type": "object", "required": ["page", "per_page"], "properties": {
                "page": _count("As above."), "per_page": _count("As `limit`."), "total": total,
                "total_pages": _count("Pages in all, where the total is known."),
                "cursor": {"type": "string", "description": "For the next page; absent on the last."}}},
            "links": {"type": "object", "required": ["self"], "properties": {
                "self": {"type": "string", "description": "This page."},
                "next": {"type": "string", "description": "The next one; absent on the last."}}}}
    properties |= {
        "timestamp": {"type": "string", "format": "date-time", "description": "When it was answered."},
        "request_id": {"type": "string", "description": "The trace id: find it in the logs."}}
    required = [name for name in properties if name != "total_count"]
    return {"anyOf": [{"type": "object", "required": required, "properties": properties}, data]}


def _enveloped_example(endpoint, data):
    out = {"success": True, "data": data}
    if endpoint.envelope == "list":
        out |= {"data": [data], "total_count": 1, "page": 1, "limit": 100,
                "meta": {"page": 1, "per_page": 100, "total": 1, "total_pages": 1}, "links": {"self": endpoint.path}}
    return out | {"timestamp": TIME, "request_id": TRACE}
