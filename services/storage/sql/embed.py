#!/usr/bin/python3
"""Writes the numbered migrations as a C table, so that the binary carries them."""
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


def main() -> int:
    out, *paths = sys.argv[1:]
    rows = []
    for expected, path in enumerate(sorted(paths, key=lambda p: pathlib.Path(p).name), start=1):
        name = pathlib.Path(path).name
        match = re.fullmatch(r"(\d{4})_([a-z0-9_]+)\.sql", name)
        if not match or int(match.group(1)) != expected:
            print(f"{name}: expected {expected:04d}_<name>.sql", file=sys.stderr)
            return 1
        text = pathlib.Path(path).read_text(encoding="utf-8")
        checksum = hashlib.sha256(text.encode()).hexdigest()
        rows.append(f'  {{{expected}, "{match.group(2)}", "{checksum}",\n{literal(text)}}},')
    body = "\n".join(rows)
    pathlib.Path(out).write_text(
        "/* Generated from sql/sqlite. */\n"
        '#include "migrations.h"\n\n'
        f"const migration_t MIGRATIONS_SQLITE[] = {{\n{body}\n}};\n"
        f"const uint32_t    MIGRATIONS_SQLITE_COUNT = {len(rows)};\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
