#!/usr/bin/python3
"""Writes the numbered migrations of all back ends as C tables, so that the binary carries them. One that begins with
"-- Optional:" may be refused by a server that lacks something."""
import hashlib
import pathlib
import re
import sys


def literal(text: str) -> str:
    lines = []
    for line in text.splitlines():
        escaped = line.replace("\\", "\\\\").replace('"', '\\"')
        lines.append(f'    "{escaped}\\n"')
    return "\n".join(lines)


def table(backend: str, paths: list[pathlib.Path]) -> str:
    rows = []
    for expected, path in enumerate(sorted(paths, key=lambda p: p.name), start=1):
        match = re.fullmatch(r"(\d{4})_([a-z0-9_]+)\.sql", path.name)
        if not match or int(match.group(1)) != expected:
            sys.exit(f"{backend}/{path.name}: expected {expected:04d}_<name>.sql")
        text = path.read_text(encoding="utf-8")
        checksum = hashlib.sha256(text.encode()).hexdigest()
        optional = "true" if text.startswith("-- Optional:") else "false"
        rows.append(f'  {{{expected}, "{match.group(2)}", "{checksum}",\n{literal(text)}, {optional}}},')
    body = "\n".join(rows)
    return f"static const migration_t {backend.upper()}[] = {{\n{body}\n}};\n"


def main() -> None:
    out, *paths = map(pathlib.Path, sys.argv[1:])
    backends = sorted({path.parent.name for path in paths})
    tables = "\n".join(table(name, [path for path in paths if path.parent.name == name]) for name in backends)
    sets = "\n".join(f"  static const migrations_t {name} = {{{name.upper()}, sizeof {name.upper()} / sizeof *{name.upper()}}};"
                     for name in backends)
    cases = "\n".join(f"  if (kind == DB_{name.upper()}) return &{name};" for name in backends)
    out.write_text(f"""/* Generated from sql/. */
#include <stddef.h>

#include "migrate.h"

{tables}
const migrations_t *migrations_of(db_kind_t kind) {{
{sets}
{cases}
  return NULL;
}}
""", encoding="utf-8")


if __name__ == "__main__":
    main()
