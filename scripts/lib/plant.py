"""Speaks with the simulator's control socket: plant.py SOCKET COMMAND, or plant.py SOCKET --replayed, which waits until the
replayed log has ended and says how far it is."""
import json
import socket
import sys
import time


def ask(path, command):
    with socket.socket(socket.AF_UNIX) as client:
        client.connect(path)
        client.sendall(command.encode() + b"\n")
        answer = b""
        while not answer.endswith(b"\n"):
            more = client.recv(65536)
            if not more:
                raise ConnectionError("the simulator hung up")
            answer += more
    return json.loads(answer)


def wait_for_replay(path):
    said = time.monotonic()
    while True:
        replay = ask(path, "state")["replay"]
        if replay["ended"]:
            print(f"Replayed {replay['scans']} scans, {replay['log_s']:.0f} s of log.")
            return
        if time.monotonic() - said > 10:
            said = time.monotonic()
            print(f"  replay: {replay['scans']} scans, {replay['log_s']:.0f} s of log", flush=True)
        time.sleep(0.2)


if __name__ == "__main__":
    if sys.argv[2] == "--replayed":
        wait_for_replay(sys.argv[1])
    else:
        print(json.dumps(ask(sys.argv[1], sys.argv[2])))
