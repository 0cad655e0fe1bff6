"""The door encrypted: which versions of TLS it speaks, WebSockets through it, and a certificate that is replaced while clients
are connected. The gateway and storage alone, as real processes."""
import asyncio
import http.client
import json
import os
import pathlib
import shutil
import signal
import socket
import ssl
import subprocess
import tempfile
import time
import unittest
import warnings

import websockets

from suite import ROOT, until

BUILT = pathlib.Path(os.environ.get("GANTRY_BIN", ROOT / "build/run"))


def make_pair(folder, name):
    """A certificate that vouches for itself, and its key."""
    cert, key = folder / f"{name}.pem", folder / f"{name}.key"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days",
                    "2", "-subj", f"/CN={name}", "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", key, "-out", cert],
                   check=True, capture_output=True)
    return cert, key


class Tls(unittest.TestCase):
    token = None

    @classmethod
    def setUpClass(cls):
        cls.folder = folder = pathlib.Path(tempfile.mkdtemp(prefix="gantry-tls-"))
        cls.one, cls.two = make_pair(folder, "one"), make_pair(folder, "two")
        shutil.copy(cls.one[0], folder / "cert")
        shutil.copy(cls.one[1], folder / "key")
        environment = {**os.environ, "GANTRY_BUS": f"ipc://{folder}", "GANTRY_DATA": str(folder),
                       "GANTRY_API_GATEWAY_PORT": "0", "GANTRY_API_GATEWAY_TLS_CERT": str(folder / "cert"),
                       "GANTRY_API_GATEWAY_TLS_KEY": str(folder / "key")}
        cls.log = open(folder / "log", "w", encoding="utf-8")
        cls.processes = [subprocess.Popen([BUILT / "services" / name / name], env=environment, stdout=cls.log, stderr=cls.log)
                         for name in ("storage", "api-gateway")]
        port = folder / "gateway.port"
        until("the gateway's port", lambda: port.exists() and port.read_text().strip(), 10)
        cls.port = int(port.read_text())

    @classmethod
    def tearDownClass(cls):
        for process in cls.processes:
            process.send_signal(signal.SIGTERM)
        codes = [process.wait(10) for process in cls.processes]
        cls.log.close()
        shutil.rmtree(cls.folder)
        assert codes == [0, 0], codes

    def context(self, pair=None, version=None):
        context = ssl.create_default_context(cafile=(pair or self.one)[0])
        if version:
            warnings.simplefilter("ignore", DeprecationWarning)  # versions of yesterday are asked for on purpose
            context.minimum_version = context.maximum_version = version
            context.set_ciphers("ALL:@SECLEVEL=0")
        return context

    def connect(self, **how):
        connection = http.client.HTTPSConnection("127.0.0.1", self.port, timeout=5, context=self.context(**how))
        self.addCleanup(connection.close)
        return connection

    def ask(self, connection, method="GET", path="/health/fast", body=None):
        headers = {"Content-Type": "application/json"} if body else {}
        if self.token:
            headers["Authorization"] = f"Bearer {self.token}"
        connection.request(method, path, body and json.dumps(body), headers)
        answer = connection.getresponse()
        return answer.status, dict(answer.getheaders()), answer.read()

    def post(self, path, body):
        status, _, answer = self.ask(self.connect(), "POST", path, body)
        self.assertEqual(status, 200, answer)
        return json.loads(answer)

    def login(self, password):
        self.token = self.post("/api/v1/auth/login", {"username": "admin", "password": password})["access_token"]
        return self.token

    def test_1_speaks_tls_of_today_only(self):
        for version, name in ((ssl.TLSVersion.TLSv1_2, "TLSv1.2"), (ssl.TLSVersion.TLSv1_3, "TLSv1.3")):
            connection = self.connect(version=version)
            status, headers, _ = self.ask(connection)
            self.assertEqual(status, 200)
            self.assertIn("max-age", headers["Strict-Transport-Security"])
            self.assertEqual(connection.sock.version(), name)
        for version in (ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1):
            with self.assertRaises((ssl.SSLError, ConnectionError)):
                self.ask(self.connect(version=version))

    def test_2_answers_nothing_unencrypted(self):
        plain = http.client.HTTPConnection("127.0.0.1", self.port, timeout=5)
        self.addCleanup(plain.close)
        with self.assertRaises((http.client.HTTPException, ConnectionError)):
            self.ask(plain)

    def test_3_carries_websockets(self):
        first = self.folder / "first-password"
        until("the first password", lambda: first.exists() and first.read_text().strip(), 10)
        old, new = first.read_text().strip(), "Quite-another-1"
        self.login(old)
        self.post("/api/v1/auth/change-password", {"current_password": old, "new_password": new, "confirm_new_password": new})
        token = self.login(new)

        async def talk():
            url = f"wss://127.0.0.1:{self.port}/ws"
            async with websockets.connect(url, ssl=self.context(), extra_headers={"Authorization": f"Bearer {token}"}) as socket:
                for _ in range(50):
                    await socket.send('{"type": "ping"}')
                pongs = 0
                while pongs < 50:
                    pongs += json.loads(await asyncio.wait_for(socket.recv(), 5))["type"] == "pong"
            return pongs

        self.assertEqual(asyncio.run(talk()), 50)

    def test_4_takes_a_new_certificate_and_cuts_nobody_off(self):
        held = self.connect()
        self.assertEqual(self.ask(held)[0], 200)

        def knows(pair):
            try:
                return self.ask(self.connect(pair=pair))[0] == 200
            except ssl.SSLError:
                return False

        (self.folder / "cert").write_text("no certificate\n")
        os.replace(shutil.copy(self.two[1], self.folder / "new"), self.folder / "key")
        until("a word on what cannot be used", lambda: "TLS-KEPT" in (self.folder / "log").read_text(), 20)
        self.assertTrue(knows(self.one), "the old pair stays while the new one cannot be used")
        os.replace(shutil.copy(self.two[0], self.folder / "new"), self.folder / "cert")
        until("the new certificate", lambda: knows(self.two), 20)
        self.assertFalse(knows(self.one))
        self.assertEqual(self.ask(held)[0], 200, "a connection of before stays")

    def test_5_refuses_who_only_shakes_hands(self):
        def shake():
            with socket.create_connection(("127.0.0.1", self.port), timeout=5) as peer:
                try:
                    with context.wrap_socket(peer, server_hostname="127.0.0.1"):
                        return True
                except OSError:
                    return False

        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        self.assertTrue(shake())
        begin, shaken = time.monotonic(), sum(shake() for _ in range(250))
        self.assertLess(shaken, 100 + 17 * (time.monotonic() - begin) + 1)
        until("it to be forgiven", shake, 5)


if __name__ == "__main__":
    unittest.main()
