"""Register profiles: checks schemas/registers/*.toml and writes them as C tables.

usage: registers_gen.py --out FILE.c PROFILE.toml...

services/rs485-bridge/line/profile_*.c hold a user's JSON file to the same checks, in the same words."""
import argparse
import math
import re
import sys
import tomllib
from pathlib import Path

NAME = re.compile(r"^[a-z][a-z0-9_]*$")
SENSOR = re.compile(r"^[A-Za-z0-9_-]+$")
WORDS = {"u16": 1, "i16": 1, "bool": 1, "enum": 1, "bits": 1, "u32": 2, "i32": 2, "text4": 2}
MODES = {"r": "REGISTER_READ", "w": "REGISTER_WRITE", "rw": "REGISTER_READ | REGISTER_WRITE",
         "once": "REGISTER_WRITE | REGISTER_ONCE"}
ACCESS = ("user", "admin", "system")
MISSING = object()
TEXT, WHOLE, NUMBER, FLAG, TABLE, TABLES, ADDRESS = \
    "a text", "a whole number", "a number", "true or false", "a table", "a list of tables", "an address"
PROFILE = {"profile": (TEXT, MISSING), "doc": (TEXT, MISSING), "class": (TABLE, {}), "module": (TABLE, MISSING),
           "motor": (TABLES, [])}
CLASS = {"doc": (TEXT, MISSING), "rate_hz": (NUMBER, MISSING), "rank": (WHOLE, MISSING), "least": (WHOLE, 0)}
MODULE = {"doc": (TEXT, MISSING), "address": (ADDRESS, 0), "type": (WHOLE, 0), "mandatory": (FLAG, False),
          "register": (TABLE, {})}
REGISTER = {"address": (ADDRESS, MISSING), "doc": (TEXT, MISSING), "type": (TEXT, "u16"), "scale": (NUMBER, 1.0),
            "unit": (TEXT, ""), "mode": (TEXT, "r"), "access": (TEXT, "user"), "safety": (FLAG, False),
            "optional": (FLAG, False), "min": (WHOLE, None), "max": (WHOLE, None), "default": (WHOLE, None),
            "class": (TEXT, None), "sensor": (TEXT, None)}
MOTOR = {"module": (TEXT, MISSING), "enable": (TEXT, MISSING), "setpoint": (TEXT, MISSING),
         "full_scale": (WHOLE, MISSING), "direction": (TEXT, MISSING), "forward": (WHOLE, MISSING),
         "reverse": (WHOLE, MISSING), "speed": (TEXT, None), "error": (TEXT, None)}
LONGEST = {"profile": 31, "doc": 255, "unit": 15, "sensor": 50}
MODULES_MAX, ROWS_MAX, CLASSES_MAX, MOTORS_MAX = 32, 160, 32, 2


class Wrong(Exception):
    """A fault in a profile: where, what, and what to do."""


def wrong(where, what):
    raise Wrong(f"{where}: {what}")


def is_kind(value, kind):
    return {TEXT: type(value) is str, WHOLE: type(value) is int, NUMBER: type(value) in (int, float),
            FLAG: type(value) is bool, TABLE: type(value) is dict,
            TABLES: type(value) is list and all(type(row) is dict for row in value),
            ADDRESS: type(value) is int or type(value) is str}[kind]


def address_of(value, where):
    """28672 or "0x7000"."""
    if type(value) is str:
        if not re.fullmatch(r"0x[0-9A-Fa-f]{1,4}", value):
            wrong(where, f'address {value} is no number; write it like 28672 or "0x7000"')
        value = int(value, 16)
    return value


def take(table, keys, where):
    """The table with defaults filled in; unknown, missing and mistyped keys are refused."""
    for key in table:
        if key not in keys:
            wrong(where, f"unknown key {key}; use {', '.join(keys)}")
    out = {}
    for key, (kind, default) in keys.items():
        value = table.get(key, default)
        if value is MISSING:
            wrong(where, f"{key} is missing; give {kind}")
        if key in table:
            if not is_kind(value, kind):
                wrong(where, f"{key} is of the wrong type; give {kind}")
            if kind == TEXT and len(value.encode()) > LONGEST.get(key, 39):
                wrong(where, f"{key} is too long; at most {LONGEST.get(key, 39)} bytes")
            if kind == NUMBER and not math.isfinite(value):
                wrong(where, f"{key} is of the wrong type; give {kind}")
            if kind == ADDRESS:
                value = address_of(value, where)
            if key == "doc" and not value:
                wrong(where, "doc is empty; say in a sentence what it is")
        out[key] = value
    return out


def check_name(name, longest, where):
    if not NAME.match(name) or len(name) > longest:
        wrong(where, f"a name is at most {longest} of a-z, 0-9 and _, a letter first; rename it")


def check_range(value, low, high, key, where):
    if not low <= value <= high:
        wrong(where, f"{key} {value} is not within {low} to {high}")


def raw_limits(kind):
    return {"i16": (-32768, 32767), "bool": (0, 1), "u32": (0, 2**32 - 1), "text4": (0, 2**32 - 1),
            "i32": (-2**31, 2**31 - 1)}.get(kind, (0, 65535))


def check_bounds(row, where):
    low, high = raw_limits(row["type"])
    row["min"] = low if row["min"] is None else row["min"]
    row["max"] = high if row["max"] is None else row["max"]
    if not low <= row["min"] <= row["max"] <= high:
        wrong(where, f"{row['min']} to {row['max']} does not fit {row['type']}; stay within {low} to {high}")
    if row["default"] is not None:
        check_range(row["default"], row["min"], row["max"], "default", where)


def check_poll(row, classes, common, where):
    if row["class"] is not None and row["class"] not in classes:
        wrong(where, f"there is no class {row['class']}; add it to class or use another")
    if row["class"] is not None and common:
        wrong(where, "class: what every module has is not polled; remove class")
    if row["class"] is not None and row["mode"] not in ("r", "rw"):
        wrong(where, "class: it cannot be read; remove class or let mode be r or rw")
    if row["sensor"] is None:
        return
    if not SENSOR.match(row["sensor"]):
        wrong(where, f"sensor {row['sensor']} has letters that no id has; use A-Z, a-z, 0-9, _ and -")
    if row["class"] is None or row["type"] == "text4":
        wrong(where, "sensor: only a polled number is published; give it a class or remove sensor")


def check_register(row, classes, common, where):
    if row["type"] not in WORDS:
        wrong(where, f"type {row['type']} is none of {', '.join(WORDS)}")
    if row["mode"] not in MODES:
        wrong(where, f"mode {row['mode']} is none of {', '.join(MODES)}")
    if row["access"] not in ACCESS:
        wrong(where, f"access {row['access']} is none of {', '.join(ACCESS)}")
    if not 0 <= row["address"] <= 0x10000 - WORDS[row["type"]]:
        wrong(where, f"address {row['address']} is beyond the last register; stay below 65536")
    if row["scale"] == 0:
        wrong(where, "scale 0 makes every value 0; give another")
    if row["type"] == "text4" and row["mode"] != "r":
        wrong(where, "mode: text4 is only read; let mode be r")
    check_bounds(row, where)
    check_poll(row, classes, common, where)


def words_of(row):
    return range(row["address"], row["address"] + WORDS[row["type"]])


def check_overlaps(module, common, where):
    taken = {}
    for block in ([common] if common and common is not module else []) + [module]:
        for row in block["rows"]:
            for word in words_of(row):
                if word in taken:
                    wrong(f"{where}.register.{row['name']}",
                          f"overlaps {taken[word]} at {word:#06x}; move one of them")
                taken[word] = row["name"]
    if sum(len(block["rows"]) for block in {id(b): b for b in (module, common) if b}.values()) > ROWS_MAX:
        wrong(where, f"more than {ROWS_MAX} registers, those of every module included; remove some")


def load_class(name, table, where):
    check_name(name, 31, where)
    row = take(table, CLASS, where)
    if not 0.001 <= row["rate_hz"] <= 1000:
        wrong(where, "rate_hz is not within 0.001 to 1000; give another")
    check_range(row["rank"], 0, 9, "rank", where)
    check_range(row["least"], 0, 125, "least", where)
    return {**row, "name": name}


def load_module(name, table, classes, where):
    check_name(name, 31, where)
    module = take(table, MODULE, where)
    check_range(module["address"], 0, 247, "address", where)
    check_range(module["type"], 0, 65535, "type", where)
    rows = []
    for key, value in module["register"].items():
        at = f"{where}.register.{key}"
        check_name(key, 39, at)
        if type(value) is not dict:
            wrong(at, "is of the wrong type; give a table")
        row = take(value, REGISTER, at)
        row["name"] = key
        check_register(row, classes, module["address"] == 0, at)
        rows.append(row)
    module["rows"] = sorted(rows, key=lambda row: row["address"])
    module["name"] = name
    return module


def motor_register(motor, key, modules, needs, where):
    if motor[key] is None:
        return
    row = next((r for r in modules[motor["module"]]["rows"] if r["name"] == motor[key]), None)
    if row is None:
        wrong(where, f"{key}: module {motor['module']} has no register {motor[key]}; name one it has")
    if row["mode"] not in needs or WORDS[row["type"]] != 1:
        wrong(where, f"{key}: {motor[key]} has to be one word of mode {' or '.join(needs)}")
    motor[key] = row


def load_motor(index, table, modules, where):
    where = f"{where}[{index}]"
    motor = take(table, MOTOR, where)
    if motor["module"] not in modules or modules[motor["module"]]["address"] == 0:
        wrong(where, f"module: there is no module {motor['module']} with an address; name one")
    for key in ("enable", "setpoint", "direction"):
        motor_register(motor, key, modules, ("rw",), where)
    for key in ("speed", "error"):
        motor_register(motor, key, modules, ("r", "rw"), where)
    check_range(motor["full_scale"], 1, motor["setpoint"]["max"], "full_scale", where)
    for key in ("forward", "reverse"):
        check_range(motor[key], motor["direction"]["min"], motor["direction"]["max"], key, where)
    if motor["forward"] == motor["reverse"]:
        wrong(where, "forward and reverse are the same; tell them apart")
    return motor


def check_sensors(module, sensors, where):
    """sensors: ids so far, and whose they are. What is polled has an id, said or made of its names."""
    for row in module["rows"]:
        if row["class"] is None or row["type"] == "text4":
            continue
        name, at = row["sensor"] or f"{module['name']}_{row['name']}", f"{where}.register.{row['name']}"
        if len(name) > LONGEST["sensor"]:
            wrong(at, f"its id {name} is longer than {LONGEST['sensor']} bytes; give it a sensor")
        if name in sensors:
            wrong(at, f"sensor {name} is {sensors[name]}'s; give each its own")
        sensors[name] = f"{module['name']}.{row['name']}"


def check_modules(modules, where):
    addresses, sensors = {}, {}
    common = next((m for m in modules.values() if m["address"] == 0), None)
    for name, module in modules.items():
        at = f"{where}.{name}"
        if module["address"] in addresses:
            wrong(at, f"address 0x{module['address']:02x} is {addresses[module['address']]}'s; give each its own")
        addresses[module["address"]] = name
        check_overlaps(module, common, at)
        check_sensors(module, sensors, at)


def load_named(table, load_one, most, where):
    if len(table) > most:
        wrong(where, f"at most {most} of them; remove some")
    out = {}
    for name, row in table.items():
        if type(row) is not dict:
            wrong(f"{where}.{name}", "is of the wrong type; give a table")
        out[name] = load_one(name, row, f"{where}.{name}")
    return out


def load(path):
    try:
        text = path.read_text(encoding="utf-8")
        table = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise Wrong(f"{path.name}: is not TOML: {error}") from error
    try:
        return build(table)
    except Wrong as error:
        raise Wrong(f"{path.name}: {error}") from error


def build(table):
    profile = take(table, PROFILE, "profile")
    classes = load_named(profile["class"], load_class, CLASSES_MAX, "class")
    modules = load_named(profile["module"], lambda n, t, w: load_module(n, t, classes, w), MODULES_MAX, "module")
    check_modules(modules, "module")
    if len(profile["motor"]) > MOTORS_MAX:
        wrong("motor", f"at most {MOTORS_MAX} of them; remove some")
    motors = [load_motor(i, row, modules, "motor") for i, row in enumerate(profile["motor"])]
    return {**profile, "classes": classes, "modules": modules, "motors": motors}


def c_text(text):
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def emit_row(profile, row):
    flags = [MODES[row["mode"]]]
    if row["safety"]:
        flags.append("REGISTER_SAFETY")
    if row["optional"]:
        flags.append("REGISTER_OPTIONAL")
    poll_class = "REGISTER_UNPOLLED" if row["class"] is None else list(profile["classes"]).index(row["class"])
    sensor = "NULL" if row["sensor"] is None else c_text(row["sensor"])
    initial = "INT64_MIN" if row["default"] is None else row["default"]
    return (f'    {{{c_text(row["name"])}, {c_text(row["unit"])}, {c_text(row["doc"])}, {sensor}, '
            f'{float(row["scale"])!r}, {row["min"]}, {row["max"]}, {initial}, 0x{row["address"]:04X}, '
            f'{WORDS[row["type"]]}, REGISTER_{row["type"].upper()}, REGISTER_{row["access"].upper()}, '
            f'{" | ".join(flags)}, {poll_class}}},')


def emit_motor(symbol, profile, motor):
    module = profile["modules"][motor["module"]]

    def place(row):
        return "NULL" if row is None else f"&{symbol}_{module['name']}_rows[{module['rows'].index(row)}]"
    return (f'    {{{list(profile["modules"]).index(motor["module"])}, {place(motor["enable"])}, '
            f'{place(motor["setpoint"])}, {place(motor["direction"])}, {place(motor["speed"])}, '
            f'{place(motor["error"])}, {motor["full_scale"]}, {motor["forward"]}, {motor["reverse"]}}},')


def emit_table(declaration, rows):
    return [f"static const {declaration}[] = {{", *rows, "};\n"] if rows else []


def emit(profile):
    symbol = profile["profile"].replace("-", "_")
    out = []
    for module in profile["modules"].values():
        out += emit_table(f"register_row_t {symbol}_{module['name']}_rows",
                          [emit_row(profile, row) for row in module["rows"]])
    out += emit_table(f"register_class_t {symbol}_classes", [
        f'    {{{c_text(row["name"])}, {c_text(row["doc"])}, {float(row["rate_hz"])!r}, {row["rank"]}, {row["least"]}}},'
        for row in profile["classes"].values()])
    out += emit_table(f"register_module_t {symbol}_modules", [
        f'    {{{c_text(m["name"])}, {c_text(m["doc"])}, {m["address"]}, {m["type"]}, {str(m["mandatory"]).lower()}, '
        f'{symbol + "_" + m["name"] + "_rows" if m["rows"] else "NULL"}, {len(m["rows"])}}},'
        for m in profile["modules"].values()])
    out += emit_table(f"register_motor_t {symbol}_motors",
                      [emit_motor(symbol, profile, motor) for motor in profile["motors"]])
    counts = [f"{symbol}_{key}, {len(profile[key])}" if profile[key] else "NULL, 0"
              for key in ("classes", "modules", "motors")]
    return out + [f"const register_profile_t PROFILE_{symbol.upper()} = {{",
                  f'    {c_text(profile["profile"])}, {c_text(profile["doc"])}, {", ".join(counts)}}};\n']


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
    except Wrong as error:
        print(f"registers_gen: {error}", file=sys.stderr)
        return 1
    arguments.out.write_text("\n".join(out), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
