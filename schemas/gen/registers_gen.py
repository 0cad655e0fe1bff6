"""Register profiles: checks schemas/registers/*.toml and writes each as a C table.

usage: registers_gen.py --out FILE.c PROFILE.toml..."""
import argparse
import re
import sys
import tomllib
from pathlib import Path

NAME = re.compile(r"^[a-z][a-z0-9_]*$")
WORDS = {"u16": 1, "i16": 1, "bool": 1, "enum": 1, "bits": 1, "u32": 2, "i32": 2, "text4": 2}
MODES = {"r": "REGISTER_READ", "w": "REGISTER_WRITE", "rw": "REGISTER_READ | REGISTER_WRITE"}
ACCESS = ("user", "admin", "system")
MISSING = object()
PROFILE = {"profile": (str, MISSING), "doc": (str, MISSING), "module": (dict, MISSING),
           "poll": (list, [])}
MODULE = {"doc": (str, MISSING), "address": (int, 0), "type": (int, 0), "mandatory": (bool, False),
          "register": (dict, MISSING)}
REGISTER = {"address": (int, MISSING), "doc": (str, MISSING), "type": (str, "u16"),
            "scale": ((int, float), 1.0), "unit": (str, ""), "mode": (str, "r"),
            "access": (str, "user"), "safety": (bool, False), "optional": (bool, False),
            "min": (int, 0), "max": (int, None)}
POLL = {"name": (str, MISSING), "module": (str, MISSING), "first": (int, MISSING),
        "count": (int, MISSING), "least": (int, 0), "most": (int, 0), "rate_hz": ((int, float), MISSING),
        "rank": (int, MISSING)}


class Wrong(Exception):
    """A fault in a profile: where, what, and what to do."""


def take(table, keys, where):
    """The table with defaults filled in; unknown, missing and mistyped keys are refused."""
    for key in table:
        if key not in keys:
            raise Wrong(f"{where}: unknown key {key}; use one of {', '.join(keys)}")
    out = {}
    for key, (kind, default) in keys.items():
        value = table.get(key, default)
        if value is MISSING:
            raise Wrong(f"{where}: {key} is missing")
        kinds = kind if isinstance(kind, tuple) else (kind,)
        if key in table and (type(value) not in kinds):
            raise Wrong(f"{where}: {key} is of the wrong type")
        out[key] = value
    return out


def raw_limits(kind):
    return {"i16": (-32768, 32767), "bool": (0, 1), "u32": (0, 2**32 - 1),
            "i32": (-2**31, 2**31 - 1)}.get(kind, (0, 65535))


def check_register(row, where):
    if row["type"] not in WORDS:
        raise Wrong(f"{where}: type {row['type']} is none of {', '.join(WORDS)}")
    if row["mode"] not in MODES:
        raise Wrong(f"{where}: mode {row['mode']} is none of r, w, rw")
    if row["access"] not in ACCESS:
        raise Wrong(f"{where}: access {row['access']} is none of {', '.join(ACCESS)}")
    low, high = raw_limits(row["type"])
    if row["max"] is None:
        row["max"] = high
    if row["type"] == "i16" and row["min"] == 0:
        row["min"] = low
    if row["type"] == "i32" and row["min"] == 0:
        row["min"] = low
    if not low <= row["min"] <= row["max"] <= high:
        raise Wrong(f"{where}: {row['min']} to {row['max']} does not fit {row['type']} ({low} to {high})")
    if not 0 <= row["address"] <= 0x10000 - WORDS[row["type"]]:
        raise Wrong(f"{where}: address {row['address']:#x} is not a register")


def check_overlaps(rows, where):
    taken = {}
    for row in rows:
        for word in range(row["address"], row["address"] + WORDS[row["type"]]):
            if word in taken:
                raise Wrong(f"{where}: {row['name']} and {taken[word]} overlap at {word:#06x}")
            taken[word] = row["name"]


def load_module(name, table, where):
    if not NAME.match(name):
        raise Wrong(f"{where}: a module is named in lower case")
    module = take(table, MODULE, where)
    rows = []
    for key, value in module["register"].items():
        at = f"{where}.{key}"
        if not NAME.match(key):
            raise Wrong(f"{at}: a register is named in lower case")
        row = take(value, REGISTER, at)
        row["name"] = key
        check_register(row, at)
        rows.append(row)
    check_overlaps(rows, where)
    module["rows"] = sorted(rows, key=lambda row: row["address"])
    module["name"] = name
    return module


def load_poll(table, modules, where):
    poll = take(table, POLL, where)
    at = f"{where} {poll['name']}"
    if poll["module"] not in modules:
        raise Wrong(f"{at}: there is no module {poll['module']}")
    if not 1 <= poll["count"] <= 125:
        raise Wrong(f"{at}: a read takes 1 to 125 registers")
    if not 0 < poll["rate_hz"] <= 1000:
        raise Wrong(f"{at}: rate_hz is more than 0 and at most 1000")
    poll["least"] = poll["least"] or poll["count"]
    poll["most"] = poll["most"] or poll["count"]
    if not 1 <= poll["least"] <= poll["count"] <= poll["most"] <= 125:
        raise Wrong(f"{at}: least <= count <= most <= 125 does not hold")
    return poll


def load(path):
    try:
        profile = take(tomllib.loads(path.read_text(encoding="utf-8")), PROFILE, path.name)
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise Wrong(f"{path.name}: is not TOML: {error}") from error
    modules = {name: load_module(name, table, f"{path.name}: module.{name}")
               for name, table in profile["module"].items()}
    profile["modules"] = modules
    profile["polls"] = [load_poll(table, modules, f"{path.name}: poll") for table in profile["poll"]]
    return profile


def c_text(text):
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def poll_of(profile, module, row):
    """Index of the poll that reads all of a register, -1 when none does."""
    for i, poll in enumerate(profile["polls"]):
        last = poll["first"] + poll["count"]
        if poll["module"] == module["name"] and poll["first"] <= row["address"] and \
                row["address"] + WORDS[row["type"]] <= last:
            return i
    return -1


def emit_row(profile, module, row):
    flags = [MODES[row["mode"]]]
    if row["safety"]:
        flags.append("REGISTER_SAFETY")
    if row["optional"]:
        flags.append("REGISTER_OPTIONAL")
    return (f'    {{{c_text(row["name"])}, {c_text(row["unit"])}, {c_text(row["doc"])}, {float(row["scale"])!r}, '
            f'{row["min"]}, {row["max"]}, 0x{row["address"]:04X}, {WORDS[row["type"]]}, '
            f'REGISTER_{row["type"].upper()}, REGISTER_{row["access"].upper()}, {" | ".join(flags)}, '
            f'{poll_of(profile, module, row)}}},')


def emit(profile):
    name = profile["profile"]
    out = []
    for module in profile["modules"].values():
        out.append(f"static const register_row_t {name}_{module['name']}_rows[] = {{")
        out += [emit_row(profile, module, row) for row in module["rows"]]
        out.append("};\n")
    out.append(f"static const register_module_t {name}_modules[] = {{")
    for module in profile["modules"].values():
        out.append(f'    {{{c_text(module["name"])}, {c_text(module["doc"])}, {module["address"]}, {module["type"]}, '
                   f'{str(module["mandatory"]).lower()}, {name}_{module["name"]}_rows, {len(module["rows"])}}},')
    out.append("};\n")
    out.append(f"static const register_poll_t {name}_polls[] = {{")
    order = list(profile["modules"])
    for poll in profile["polls"]:
        out.append(f'    {{{c_text(poll["name"])}, {order.index(poll["module"])}, 0x{poll["first"]:04X}, '
                   f'{poll["count"]}, {poll["least"]}, {poll["most"]}, {float(poll["rate_hz"])!r}, {poll["rank"]}}},')
    out.append("};\n")
    out.append(f"const register_profile_t PROFILE_{name.upper()} = {{")
    out.append(f'    {c_text(name)}, {c_text(profile["doc"])}, {name}_modules, {len(order)}, '
               f'{name}_polls, {len(profile["polls"])}}};\n')
    return out


def main():
    parser = argparse.ArgumentParser(description="Writes register profiles as C tables.")
    parser.add_argument("--out", required=True, type=Path)
    parser.add_argument("profiles", nargs="+", type=Path)
    arguments = parser.parse_args()
    out = ["/* Generated from schemas/registers/ by schemas/gen/registers_gen.py; edit those. */",
           '#include "registers.h"\n']
    try:
        for path in arguments.profiles:
            out += emit(load(path))
    except Wrong as wrong:
        print(f"registers_gen: {wrong}", file=sys.stderr)
        return 1
    arguments.out.write_text("\n".join(out), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
