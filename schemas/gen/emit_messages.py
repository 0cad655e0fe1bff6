"""messages.h and messages.c: structs and descriptor tables."""
import struct

from model import C_TYPES, FLOATS, INTEGERS, PROFILES, identifier

BANNER = "/* Generated from schemas/ by schemas/gen; edit those. */\n"


def c_text(text):
    """A C string literal."""
    out = []
    for byte in text.encode("utf-8"):
        char = chr(byte)
        if char in '"\\?':
            out.append("\\" + char)
        elif 32 <= byte < 127:
            out.append(char)
        else:
            out.append(f"\\{byte:03o}")
    return '"' + "".join(out) + '"'


def comment(text):
    return "/* " + text.replace("*/", "* /") + " */"


def bounds(field):
    """min and max as they hold in C, or None. A bound of an f32 is the nearest float."""
    base = field.type.base
    if field.min is None and field.max is None:
        return None
    if base in FLOATS:
        low, high = float(field.min), float(field.max)
        if base == "f32":
            low, high = (struct.unpack("f", struct.pack("f", v))[0] for v in (low, high))
        return low, high
    natural = INTEGERS[base]
    return (float(natural[0] if field.min is None else field.min),
            float(natural[1] if field.max is None else field.max))


def header(schema, name, catalogue):
    guard = identifier(name) + "_H"
    out = [BANNER, f"#ifndef {guard}\n#define {guard}\n"]
    out.append(f"#include <gantry/{'catalogue' if catalogue else 'desc'}.h>\n")
    for enum in schema.enums.values():
        upper = enum.c.upper()
        out.append(comment(enum.doc))
        out.append(f"typedef enum {enum.c} {{")
        out += [f"  {upper}_{identifier(value)} = {i}," for i, value in enumerate(enum.values)]
        out.append(f"}} {enum.c}_t;\n#define {upper}_COUNT {len(enum.values)}")
        out.append(f"extern const desc_enum_t {upper}_ENUM;\n")
    for message in schema.messages.values():
        out += _struct(schema, message)
    if catalogue:
        out += _constants(schema)
    out.append("#endif")
    return "\n".join(out) + "\n"


def _struct(schema, message):
    out = [comment(message.doc), f"typedef struct {message.c} {{"]
    for field in message.fields:
        if field.optional:
            out.append(f"  bool has_{field.name};")
        if field.type.count:
            out.append(f"  uint32_t {field.name}_count; {comment(f'at most {field.type.count}')}")
        extent = f"[{field.type.count}]" if field.type.count else ""
        if field.type.base == "text":
            extent += f"[{field.type.length + 1}]"
        note = field.doc + (f" [{field.unit}]" if field.unit else "")
        out.append(f"  {_c_type(schema, field)} {field.c}{extent}; {comment(note)}")
    if not message.fields:
        out.append("  uint8_t unused; /* C has no empty structs */")
    out.append(f"}} {message.c}_t;\nextern const desc_t {message.desc};\n")
    return out


def _c_type(schema, field):
    base, ref = field.type.base, field.type.ref
    if base == "text":
        return "char"
    if base == "enum":
        return schema.enums[ref].c + "_t"
    if base == "message":
        return schema.messages[ref].c + "_t"
    return C_TYPES[base]


def _constants(schema):
    out = [f"#define {topic.macro} (&CATALOGUE_TOPICS[{i}])" for i, topic in enumerate(schema.topics)]
    out += [f"#define {request.macro} (&CATALOGUE_REQUESTS[{i}])" for i, request in enumerate(schema.requests)]
    for profile, prefix in PROFILES.items():
        out.append(f"\n/* Indices into CATALOGUE_{prefix}S. */\nenum {{")
        out += [f"  {endpoint.macro}," for endpoint in schema.endpoints_of(profile)]
        out.append(f"  {prefix}_COUNT\n}};\n")
    return out


def source(schema, name):
    out = [BANNER, f"#include <{name}.h>\n"]
    for enum in schema.enums.values():
        upper = enum.c.upper()
        texts = ", ".join(map(c_text, enum.values))
        out.append(f"static const char *const {upper}_TEXTS[] = {{{texts}}};")
        out.append(f"const desc_enum_t {upper}_ENUM = {{{c_text(enum.name)}, {upper}_TEXTS, {len(enum.values)}}};\n")
    for message in schema.messages.values():
        if message.fields:
            out.append(f"static const desc_field_t {message.c.upper()}_FIELDS[] = {{")
            out += [_row(schema, message, field) for field in message.fields]
            out.append("};")
        fields = f"{message.c.upper()}_FIELDS" if message.fields else "NULL"
        out.append(f"const desc_t {message.desc} = {{{c_text(message.name)}, {c_text(message.doc)}, {fields}, "
                   f"{len(message.fields)}, sizeof({message.c}_t)}};\n")
    return "\n".join(out) + "\n"


def _row(schema, message, field):
    struct_name, name, type_ = f"{message.c}_t", field.name, field.type
    element = f"(({struct_name} *)0)->{field.c}" + ("[0]" if type_.count else "")
    row = {
        "name": c_text(name), "type": "DESC_" + type_.base.upper(),
        "offset": f"offsetof({struct_name}, {field.c})", "size": f"sizeof({element})",
        "capacity": str(type_.count or 1), "unit": c_text(field.unit), "doc": c_text(field.doc),
    }
    if field.format:
        row["format"] = "DESC_" + field.format.upper()
    if field.nullable:
        row["nullable"] = "true"
    if field.optional:
        row["optional"] = "true"
        row["has_offset"] = f"offsetof({struct_name}, has_{name})"
    if type_.count:
        row["array"] = "true"
        row["count_offset"] = f"offsetof({struct_name}, {name}_count)"
    if type_.length:
        row["max_len"] = str(type_.length)
    if field.min_len:
        row["min_len"] = str(field.min_len)
    if bounds(field):
        low, high = bounds(field)
        row |= {"ranged": "true", "min": repr(low), "max": repr(high)}
    if type_.base == "message":
        row["message"] = "&" + schema.messages[type_.ref].desc
    if type_.base == "enum":
        row["enumeration"] = f"&{schema.enums[type_.ref].c.upper()}_ENUM"
    return "  {" + ", ".join(f".{key} = {value}" for key, value in row.items()) + "},"
