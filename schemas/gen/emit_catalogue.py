"""catalogue_data.c: the tables of topics, requests, endpoints and services; and files as C text."""
import gzip
import hashlib

from emit_messages import BANNER, c_text
from model import PROFILES, SERVICES


def _desc(schema, name):
    return "&" + schema.messages[name].desc if name else "NULL"


def _bool(value):
    return "true" if value else "false"


def source(schema):
    out = [BANNER, "#include <messages.h>\n"]
    out.append("const desc_t *const CATALOGUE_MESSAGES[] = {")
    out += [f"  &{message.desc}," for message in schema.messages.values()]
    out.append("  NULL,\n};\n" + _count("MESSAGE", schema.messages))
    settings = [message for message in schema.messages.values() if message.setting]
    out.append("const desc_t *const CATALOGUE_SETTINGS[] = {")
    out += [f"  &{message.desc}," for message in settings]
    out.append("  NULL,\n};\n" + _count("SETTING", settings))
    _topics(schema, out)
    _requests(schema, out)
    for profile, prefix in PROFILES.items():
        _endpoints(schema, schema.endpoints_of(profile), f"CATALOGUE_{prefix}", out)
    out.append("const char *const CATALOGUE_SERVICES[] = {" + ", ".join(map(c_text, SERVICES)) + "};")
    out.append(_count("SERVICE", SERVICES))
    return "\n".join(out)


def _count(name, rows):
    return f"const uint32_t CATALOGUE_{name}_COUNT = {len(rows)};\n"


def _topics(schema, out):
    for topic in schema.topics:
        if topic.consumers:
            texts = ", ".join(map(c_text, topic.consumers))
            out.append(f"static const char *const {topic.macro}_CONSUMERS[] = {{{texts}}};")
    out.append("const topic_t CATALOGUE_TOPICS[] = {")
    for topic in schema.topics:
        consumers = f"{topic.macro}_CONSUMERS" if topic.consumers else "NULL"
        out.append(f"  {{.pattern = {c_text(topic.name)}, .prefix = {c_text(topic.prefix)}, "
                   f".instanced = {_bool(topic.instanced)}, .message = {_desc(schema, topic.message)}, "
                   f".producer = {c_text(topic.producer)}, .consumers = {consumers}, "
                   f".consumer_count = {len(topic.consumers)}, .kind = KIND_{topic.kind.upper()}, "
                   f".durable = {_bool(topic.durable)}, .rate_hz = {float(topic.rate_hz)!r}, "
                   f".doc = {c_text(topic.doc)}}},")
    if not schema.topics:
        out.append("  {0},")
    out.append("};\n" + _count("TOPIC", schema.topics))


def _requests(schema, out):
    for request in schema.requests:
        if request.errors:
            errors = ", ".join(f"GANTRY_E_{error.upper()}" for error in request.errors)
            out.append(f"static const gantry_err_t {request.macro}_ERRORS[] = {{{errors}}};")
    out.append("const request_t CATALOGUE_REQUESTS[] = {")
    for request in schema.requests:
        errors = f"{request.macro}_ERRORS" if request.errors else "NULL"
        out.append(f"  {{.name = {c_text(request.name)}, .server = {c_text(request.server)}, "
                   f".takes = {_desc(schema, request.takes)}, .gives = {_desc(schema, request.gives)}, "
                   f".errors = {errors}, .error_count = {len(request.errors)}, "
                   f".timeout_ms = {request.timeout_ms}, .lane = LANE_{request.lane.upper()}, "
                   f".doc = {c_text(request.doc)}}},")
    if not schema.requests:
        out.append("  {0},")
    out.append("};\n" + _count("REQUEST", schema.requests))


def _endpoints(schema, rows, name, out):
    out.append(f"const endpoint_t {name}S[] = {{")
    for row in rows:
        out.append(f"  {{.method = HTTP_{row.method}, .path = {c_text(row.path)}, "
                   f".permission = {c_text(row.permission)}, .params = {_desc(schema, row.params)}, "
                   f".body = {_desc(schema, row.body)}, .body_optional = {_bool(row.body_optional)}, "
                   f".body_type = {c_text(row.body_type)}, "
                   f".answer = {_desc(schema, row.answer)}, "
                   f".envelope = ENVELOPE_{row.envelope.upper()}, .status = {row.status}, .rate_exempt = {_bool(row.rate_exempt)}, .ends_movement = {_bool(row.ends_movement)}, "
                   f".built = {_bool(row.built)}, "
                   f".id = {c_text(row.id)}, .tag = {c_text(row.tag)}, .doc = {c_text(row.doc)}}},")
    if not rows:
        out.append("  {0},")
    literal = sorted((i for i, row in enumerate(rows) if "{" not in row.path), key=lambda i: rows[i].path.encode())
    out.append(f"}};\nconst uint32_t {name}_COUNT = {len(rows)};")
    out.append(f"const uint16_t {name}_LITERALS[] = {{{', '.join(map(str, literal or [0]))}}};")
    out.append(f"const uint32_t {name}_LITERAL_COUNT = {len(literal)};\n")


def text_header(texts):
    """texts: name in C -> text. Each with its length and a short text that changes with it."""
    out = (BANNER + "/* The API descriptions, as served by each listener; NUL terminated. */\n"
           "#ifndef OPENAPI_DATA_H\n#define OPENAPI_DATA_H\n\n#include <stddef.h>\n\n")
    for name, text in texts.items():
        tag = hashlib.sha256(text.encode()).hexdigest()[:16]
        out += f"#define {name}_TAG \"{tag}\"\nextern const char   {name}[];\nextern const size_t {name}_LEN;\n"
        out += f"extern const unsigned char {name}_GZ[]; /* compressed by gzip */\nextern const size_t {name}_GZ_LEN;\n\n"
    return out + "#endif\n"


def text_source(texts):
    """texts: name in C -> text."""
    out = BANNER + "#include <openapi_data.h>\n"
    for name, text in texts.items():
        pieces = [text[i:i + 100] for i in range(0, len(text), 100)]
        body = "\n".join("  " + c_text(piece) for piece in pieces)
        out += f"\nconst char {name}[] =\n{body};\nconst size_t {name}_LEN = sizeof {name} - 1;\n"
        packed = gzip.compress(text.encode(), 9, mtime=0)
        rows = "\n".join("  " + "".join(f"{byte}," for byte in packed[i:i + 25]) for i in range(0, len(packed), 25))
        out += f"\nconst unsigned char {name}_GZ[] = {{\n{rows}\n}};\nconst size_t {name}_GZ_LEN = sizeof {name}_GZ;\n"
    return out
