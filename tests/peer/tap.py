"""Cases by name, told in TAP."""
import sys


def run(cases):
    print(f"1..{len(cases)}")
    failed = 0
    for number, (name, case) in enumerate(cases.items(), 1):
        try:
            case()
            print(f"ok {number} - {name}")
        except AssertionError as error:
            failed += 1
            print(f"not ok {number} - {name}\n# {error}")
    sys.exit(failed > 0)
