"""Two gateways side by side on one storage, as Kubernetes runs them: what one ends, the other ends too."""
import os
import pathlib
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.append(str(ROOT / "tests/bench"))
from gateway_rig import PASSWORD, UNLIMITED, Door, ask  # noqa: E402
from suite import until  # noqa: E402
from wire import BIN  # noqa: E402

SOON_S = 5


class Replica:
    """A second gateway at the first one's storage, with the secret that both are given."""

    def __init__(self, door):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="gantry-replica-"))
        for end in ("pub", "rpc"):
            (self.folder / f"storage.{end}").symlink_to(door.folder / f"storage.{end}")
        shutil.copy2(door.folder / "token-secret", self.folder)
        settings = {**UNLIMITED, "port": 0, "refresh_grace_s": 0}
        words = [word for key, value in settings.items() for word in ("--set", f"{key}={value:.0f}")]
        environment = {**os.environ, "GANTRY_BUS": f"ipc://{self.folder}", "GANTRY_DATA": str(self.folder)}
        self.process = subprocess.Popen([BIN / "services/api-gateway/api-gateway", *words], env=environment, stderr=subprocess.DEVNULL,
                                        stdin=subprocess.DEVNULL)
        file = self.folder / "gateway.port"
        self.port = int(until("the second gateway's port", lambda: file.exists() and file.read_text(encoding="ascii").strip(), 10))

    def close(self):
        self.process.terminate()
        self.process.wait(10)
        shutil.rmtree(self.folder)


class Replicas(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.first = Door(pose_hz=0, sessions_max=10, refresh_grace_s=0)
        cls.addClassCleanup(cls.first.close)
        cls.second = Replica(cls.first)
        cls.addClassCleanup(cls.second.close)
        until("the second gateway's users", lambda: cls.me(cls.second, cls.first.token) == 200, SOON_S)

    @staticmethod
    def me(gateway, token):
        return ask(gateway.port, "GET", "/api/v1/auth/me", token=token)[0]

    @staticmethod
    def login(gateway, name="admin", password=PASSWORD):
        return ask(gateway.port, "POST", "/api/v1/auth/login", {"username": name, "password": password})

    def make_user(self, name):
        user = {"username": name, "email": f"{name}@example.org", "full_name": "Some Body", "password": PASSWORD,
                "confirm_password": PASSWORD, "role": "operator"}
        status, answer = ask(self.first.port, "POST", "/api/v1/auth/register", user, self.first.token)
        self.assertIn(status, (200, 201), answer)

    def test_a_logout_at_one_holds_at_the_other(self):
        token = self.login(self.second)[1]["access_token"]
        until("the session at the first", lambda: self.me(self.first, token) == 200, SOON_S)

        self.assertEqual(ask(self.first.port, "POST", "/api/v1/auth/logout", {}, token)[0], 200)

        until("the end at the second", lambda: self.me(self.second, token) == 401, SOON_S)

    def test_a_refresh_token_shown_twice_ends_its_session_everywhere(self):
        tokens = self.login(self.first)[1]
        old = {"refresh_token": tokens["refresh_token"]}
        status, fresh = ask(self.second.port, "POST", "/api/v1/auth/refresh", old)
        self.assertEqual(status, 200, fresh)

        self.assertEqual(ask(self.first.port, "POST", "/api/v1/auth/refresh", old)[0], 401)

        for gateway in (self.first, self.second):
            until("the end of the family", lambda gateway=gateway: self.me(gateway, fresh["access_token"]) == 401, SOON_S)

    def test_failures_count_together(self):
        self.make_user("clumsy")
        for i in range(5):
            self.assertEqual(self.login((self.first, self.second)[i % 2], "clumsy", "Wrong-Password-9")[0], 401)

        for gateway in (self.first, self.second):
            self.assertNotEqual(self.login(gateway, "clumsy")[0], 200)

    def test_nobody_learns_from_two_gateways_who_exists(self):
        self.make_user("known")
        answers = {}
        for name in ("known", "nobody"):
            for i in range(5):
                self.login(self.first, name, "Wrong-Password-9")
            status, answer = self.login(self.second, name, "Wrong-Password-9")
            answers[name] = (status, answer["code"], answer["error"])
        self.assertEqual(answers["known"][1], "ACCOUNT_LOCKED")
        self.assertEqual(answers["nobody"], answers["known"])

    def test_an_older_database_that_was_put_back_is_read_anew(self):
        """Also when it has changed so often since that its numbers look like the newer ones."""
        self.make_user("back")
        token = self.login(self.first, "back")[1]["access_token"]
        file = self.first.folder / "gantry.db"
        older = sqlite3.connect(self.first.folder / "older.db")
        with sqlite3.connect(file) as present:
            present.backup(older)
        older.execute("UPDATE identity_number SET number = number + 1000")
        older.commit()
        older.close()
        user = next(user for user in ask(self.first.port, "GET", "/api/v1/auth/users", token=self.first.token)[1]["users"]
                    if user["username"] == "back")
        ask(self.first.port, "PUT", f"/api/v1/auth/users/{user['id']}", {"is_active": False}, self.first.token)
        for gateway in (self.first, self.second):
            until("the end of the user", lambda gateway=gateway: self.me(gateway, token) == 401, SOON_S)

        self.first.end("storage")
        for end in ("-wal", "-shm"):
            pathlib.Path(f"{file}{end}").unlink(missing_ok=True)
        (self.first.folder / "older.db").replace(file)
        self.first.begin("storage")

        for gateway in (self.first, self.second):
            until("the user of the older database", lambda gateway=gateway: self.me(gateway, token) == 200, 2 * SOON_S)


if __name__ == "__main__":
    unittest.main()
