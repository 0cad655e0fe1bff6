"""What strangers send: smuggled and endless requests, slow ones, paths that climb, frames that no WebSocket sends. Each is refused
and named, and the gateway goes on answering others; slowhttptest (Debian) is the attacker where it can be."""
import base64
import os
import pathlib
import re
import socket
import struct
import subprocess
import sys
import time
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.append(str(ROOT / "tests/bench"))
from gateway_rig import Door, ask, cpu_s, descriptors  # noqa: E402

GET = "GET /health/live HTTP/1.1\r\nHost: localhost\r\n"
POST = "POST /api/v1/auth/login HTTP/1.1\r\nHost: localhost\r\n"
SMUGGLED = "GET /health/live HTTP/1.1\r\nHost: localhost\r\nX-Smuggled: yes\r\n\r\n"
BODY = '{"username":"nobody","password":"x"}'


class Strangers(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.door = Door(pose_hz=0, head_s=3, ws_per_user=100)

    @classmethod
    def tearDownClass(cls):
        cls.door.close()

    def connect(self):
        peer = socket.create_connection(("127.0.0.1", self.door.port), timeout=5)
        self.addCleanup(peer.close)
        return peer

    def answers(self, raw, seconds=2.0):
        """Status of each answer to those bytes until the gateway closes or is silent, and whether it has closed."""
        peer = self.connect()
        peer.sendall(raw if isinstance(raw, bytes) else raw.encode("latin-1"))
        peer.settimeout(seconds)
        text, closed = b"", False
        try:
            while not closed:
                piece = peer.recv(65536)
                text, closed = text + piece, not piece
        except socket.timeout:
            pass
        except ConnectionError:
            closed = True
        return [int(code) for code in re.findall(rb"HTTP/1\.1 (\d{3}) ", text)], closed

    def assert_alive(self):
        begin = time.monotonic()
        self.assertEqual(ask(self.door.port, "GET", "/health/live")[0], 200)
        self.assertLess(time.monotonic() - begin, 3.0)


class Requests(Strangers):
    def test_two_readings_of_one_length_are_refused(self):
        for head in ("Content-Length: 36\r\nTransfer-Encoding: chunked\r\n", "Transfer-Encoding: chunked\r\nContent-Length: 4\r\n",
                     "Content-Length: 36\r\nContent-Length: 0\r\n", "Content-Length: 0\r\nContent-Length: 36\r\n",
                     "Content-Length: 36, 36\r\n", "Content-Length: +36\r\n", "Content-Length: 0x24\r\n", "Content-Length: -1\r\n",
                     "Content-Length: 99999999999999999999\r\n",
                     "Transfer-Encoding: chunked, identity\r\n", "Transfer-Encoding: xchunked\r\n",
                     "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n", "Transfer-Encoding : chunked\r\n",
                     "Content-Length : 36\r\n"):
            codes, closed = self.answers(POST + head + "\r\n" + BODY + SMUGGLED, 5.0)
            self.assertTrue(closed, head)
            self.assertTrue(codes and all(400 <= code < 500 for code in codes), (head, codes))
        self.assert_alive()

    def test_heads_that_are_none(self):
        for raw in ("GET /health/live HTTP/1.1\r\n\r\n", "GET /health/live HTTP/9.9\r\nHost: localhost\r\n\r\n", "GET  HTTP/1.1\r\n\r\n",
                    "\x00\x01\x02\r\n\r\n", "G\x00T / HTTP/1.1\r\nHost: localhost\r\n\r\n", GET + "No colon\r\n\r\n"):
            codes, _ = self.answers(raw, 1.0)
            self.assertTrue(all(400 <= code < 600 for code in codes), (raw, codes))
        self.assert_alive()

    def test_what_is_too_long_is_named(self):
        self.assertEqual(self.answers(GET + "X: " + "a" * 100_000 + "\r\n\r\n")[0][:1], [431])
        self.assertIn(self.answers("GET /" + "a" * 100_000 + " HTTP/1.1\r\nHost: localhost\r\n\r\n")[0][:1], ([414], [431]))
        self.assertEqual(self.answers(POST + "Content-Length: 11000000\r\n\r\n")[0], [413])
        chunk = "10000\r\n" + "a" * 0x10000 + "\r\n"
        self.assertIn(self.answers(POST + "Transfer-Encoding: chunked\r\n\r\n" + chunk * 40)[0][:1], ([413], []))
        self.assert_alive()

    def test_paths_do_not_climb(self):
        for path in ("/../../../../etc/passwd", "/%2e%2e/%2e%2e/etc/passwd", "/..%2f..%2fetc/passwd", "/docs/../../etc/passwd", "/.%00./x",
                     "//etc/passwd", "/\\..\\..\\etc\\passwd", "/%c0%ae%c0%ae/etc/passwd", "/%", "/%zz", "/a%00b"):
            codes, _ = self.answers(f"GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
            self.assertEqual(len(codes), 1, path)
            self.assertIn(codes[0], (400, 404), path)

    def test_other_hosts_and_origins(self):
        self.assertIn(self.answers("GET /health/live HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n")[0], ([400], [421]))
        raw = (f"GET /api/v1/map/list HTTP/1.1\r\nHost: localhost\r\nOrigin: https://evil.example\r\nConnection: close\r\n"
               f"Authorization: Bearer {self.door.token}\r\n\r\n")
        peer = self.connect()
        peer.sendall(raw.encode())
        text = b""
        while piece := peer.recv(65536):
            text += piece
        self.assertTrue(text.startswith(b"HTTP/1.1 200 "), text[:200])
        self.assertNotIn(b"access-control-allow-origin", text.lower())

    def test_requests_in_one_packet_are_answered_in_order(self):
        login = POST + f"Content-Length: {len(BODY)}\r\n\r\n{BODY}"
        begin = cpu_s(self.door.pid)
        for raw, codes in ((GET + "\r\n" + login, [200, 401]), (login + login, [401, 401]),
                           (login + GET + "\r\n" + login, [401, 200, 401]), (GET + "\r\n" + GET + "Connection: close\r\n\r\n", [200, 200])):
            self.assertEqual(self.answers(raw, 1.5)[0], codes, raw)
        self.assertLess(cpu_s(self.door.pid) - begin, 1.0, "a spin")
        self.assert_alive()

    # -- slow ones

    def slow(self, *words):
        tool = subprocess.Popen(["slowhttptest", *words, "-c", "200", "-r", "200", "-i", "1", "-l", "3", "-p", "1", "-u",
                                 f"http://127.0.0.1:{self.door.port}/api/v1/auth/login"],
                                stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        self.addCleanup(lambda: tool.poll() is None and tool.kill())
        before, most = descriptors(self.door.pid), 0
        for _ in range(12):
            self.assert_alive()
            most = max(most, descriptors(self.door.pid))
            time.sleep(0.2)
        said = re.sub(r"\x1b\[[0-9;]*m", "", tool.communicate(timeout=20)[0])
        self.assertNotIn("service available:   NO", said)
        self.assertGreater(most, before + 100, f"no attack: {said[-500:]}")

    def test_dripping_heads_and_bodies_hold_nobody_up(self):
        before = descriptors(self.door.pid)
        self.slow("-H")
        self.slow("-B", "-s", "8192")
        self.assertLess(descriptors(self.door.pid), before + 210)

    def test_a_head_that_drips_is_cut_off(self):
        peer, begin = self.connect(), time.monotonic()
        closed = False
        while not closed and time.monotonic() - begin < 10:
            try:
                peer.sendall(b"G" if time.monotonic() - begin < 0.1 else b"E")
                time.sleep(0.25)
                peer.settimeout(0.01)
                closed = peer.recv(4096) == b""
            except socket.timeout:
                pass
            except OSError:
                closed = True
        self.assertTrue(closed)
        self.assertLess(time.monotonic() - begin, 6)


def frame(opcode, payload=b"", fin=True, reserved=0, masked=True):
    size, mask = len(payload), os.urandom(4)
    head = bytes([fin << 7 | reserved << 4 | opcode])
    length = bytes([masked << 7 | size]) if size < 126 else bytes([masked << 7 | 126]) + struct.pack("!H", size) if size < 65536 else \
        bytes([masked << 7 | 127]) + struct.pack("!Q", size)
    return head + length + (mask + bytes(byte ^ mask[i % 4] for i, byte in enumerate(payload)) if masked else payload)


class Frames(Strangers):
    """Frames that no WebSocket client may send, written byte by byte."""

    def upgrade(self, **headers):
        peer = self.connect()
        words = {"Host": "localhost", "Upgrade": "websocket", "Connection": "Upgrade", "Sec-WebSocket-Version": "13",
                 "Sec-WebSocket-Key": base64.b64encode(os.urandom(16)).decode(), "Authorization": f"Bearer {self.door.token}", **headers}
        peer.sendall(("GET /ws HTTP/1.1\r\n" + "".join(f"{key}: {value}\r\n" for key, value in words.items()) + "\r\n").encode())
        text = b""
        while b"\r\n\r\n" not in text:
            piece = peer.recv(1)
            if not piece:
                break
            text += piece
        return peer, int(text.split()[1]) if text else 0

    def close_code(self, *raw):
        """Code of the close frame that answers those frames; 0: closed without one."""
        peer, status = self.upgrade()
        self.assertEqual(status, 101)
        peer.sendall(b"".join(raw))
        peer.settimeout(5)
        stream = b""
        try:
            while piece := peer.recv(65536):
                stream += piece
        except ConnectionError:
            pass
        while stream:
            size, at = stream[1] & 127, 2
            if size == 126:
                size, at = struct.unpack("!H", stream[2:4])[0], 4
            if stream[0] & 15 == 8:
                return struct.unpack("!H", stream[at:at + 2])[0]
            stream = stream[at + size:]
        return 0

    def test_frames_that_break_the_protocol(self):
        for code, raw in ((1002, [frame(1, b"{}", reserved=4)]), (1002, [frame(1, b"{}", masked=False)]), (1002, [frame(3, b"{}")]),
                          (1002, [frame(9, b"p", fin=False)]), (1002, [frame(9, b"p" * 126)]), (1002, [frame(0, b"x")]),
                          (1002, [frame(1, b"a", fin=False), frame(1, b"b")]), (1007, [frame(1, b"\xff\xfe")]),
                          (1007, [frame(8, struct.pack("!H", 1000) + b"\xff")]), (1002, [frame(8, struct.pack("!H", 1005))]),
                          (1009, [frame(1, b"a" * 70_000)]), (1009, [frame(1, b"a" * 9000, fin=False), frame(0, b"a" * 9000)]),
                          (1000, [frame(8, struct.pack("!H", 1000))])):
            self.assertEqual(self.close_code(*raw), code, [one[:8] for one in raw])
        self.assert_alive()

    def test_upgrades_that_are_refused(self):
        for status, headers in ((401, {"Authorization": "Bearer nonsense"}), (403, {"Origin": "https://evil.example"}),
                                (426, {"Sec-WebSocket-Version": "8"}), (400, {"Sec-WebSocket-Key": "short"})):
            self.assertEqual(self.upgrade(**headers)[1], status, headers)


if __name__ == "__main__":
    unittest.main()
