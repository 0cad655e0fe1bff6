#!/usr/bin/python3
"""Turns schemas/*.toml into C structs, descriptor and catalogue tables, OpenAPI, AsyncAPI and a reference.

    gantry_gen.py --out DIR [--version V] [--stem NAME] [FILE.toml ...]
    gantry_gen.py --lock          writes lock.json: what is released from now on

Without files it reads the folder above this one. With --stem it writes NAME.h and NAME.c only (test messages).
"""
import argparse
import json
import sys
from pathlib import Path

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).resolve().parent))

import emit_asyncapi  # noqa: E402
import emit_asyncapi_ws  # noqa: E402
import emit_catalogue  # noqa: E402
import emit_docs  # noqa: E402
import emit_messages  # noqa: E402
import emit_openapi  # noqa: E402
import emit_openapi_bench  # noqa: E402
from check import check  # noqa: E402
from load import load  # noqa: E402
from lock import check_lock, write_lock  # noqa: E402

SCHEMAS = Path(__file__).resolve().parent.parent


def _compact(value):
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)


def outputs(schema, version, stem):
    if stem:
        return {f"{stem}.h": emit_messages.header(schema, stem, False),
                f"{stem}.c": emit_messages.source(schema, stem)}
    openapi = emit_openapi.openapi(schema, version)
    bench = emit_openapi_bench.openapi_bench(schema, version)
    live = emit_asyncapi_ws.asyncapi_ws(schema, version)
    texts = {"OPENAPI_JSON": _compact(openapi), "ASYNCAPI_JSON": _compact(live),
             "OPENAPI_BENCH_JSON": _compact(bench)}
    return {
        "messages.h": emit_messages.header(schema, "messages", True),
        "messages.c": emit_messages.source(schema, "messages"),
        "catalogue_data.c": emit_catalogue.source(schema),
        "openapi_data.h": emit_catalogue.text_header(texts),
        "openapi_data.c": emit_catalogue.text_source(texts),
        "openapi.json": json.dumps(openapi, indent=1, ensure_ascii=False) + "\n",
        "asyncapi.json": json.dumps(emit_asyncapi.asyncapi(schema, version), indent=1, ensure_ascii=False) + "\n",
        "asyncapi-ws.json": json.dumps(live, indent=1, ensure_ascii=False) + "\n",
        "MESSAGES.md": emit_docs.reference(schema, version),
        "flow.dot": emit_docs.flow_dot(schema),
    }


def main(arguments):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("files", nargs="*", type=Path, help="family files")
    parser.add_argument("--out", type=Path, help="folder for the outputs")
    parser.add_argument("--version", default="0", help="version named in the documents")
    parser.add_argument("--stem", default="", help="write only messages, under this name")
    parser.add_argument("--lock", action="store_true", help="write lock.json")
    parser.add_argument("--lock-file", type=Path, default=SCHEMAS / "lock.json", help="another lock.json")
    args = parser.parse_args(arguments)
    if not args.lock and not args.out:
        parser.error("say --out DIR or --lock")

    schema = check(load(args.files or SCHEMAS.glob("*.toml")))
    if not args.stem:
        check_lock(schema, args.lock_file)
    if schema.errors:
        print("\n".join(schema.errors), file=sys.stderr)
        return 1
    if args.lock:
        write_lock(schema, args.lock_file)
    if args.out:
        args.out.mkdir(parents=True, exist_ok=True)
        for name, text in outputs(schema, args.version, args.stem).items():
            (args.out / name).write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
