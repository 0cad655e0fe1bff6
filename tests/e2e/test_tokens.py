"""Tokens by an independent peer, PyJWT: it verifies ours by the published key, and makes hostile ones, some with our own key."""
import base64
import hashlib
import hmac
import json
import time
import unittest

import jwt
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from suite import Suite


def part(value):
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


def by_hmac(header, claims, secret):
    text = f"{part(header)}.{part(claims)}"
    signature = hmac.new(secret, text.encode(), hashlib.sha256).digest()
    return f"{text}.{base64.urlsafe_b64encode(signature).rstrip(b'=').decode()}"


class Tokens(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.suite = Suite(environment={"GANTRY_API_GATEWAY_TOKEN_ALGORITHM": "EdDSA", "GANTRY_API_GATEWAY_ISSUER": "hall-3",
                                       "GANTRY_API_GATEWAY_AUDIENCE": "robots"})
        cls.suite.ready()
        cls.suite.login()
        cls.jwk = cls.suite.get("/.well-known/jwks.json", token=False).json["keys"][0]
        cls.key = Ed25519PrivateKey.from_private_bytes((cls.suite.data / "token-key").read_bytes())
        cls.header = jwt.get_unverified_header(cls.suite.token)
        cls.claims = jwt.decode(cls.suite.token, options={"verify_signature": False})

    @classmethod
    def tearDownClass(cls):
        cls.suite.close()

    def status(self, token):
        return self.suite.get("/api/v1/map/list", token=token).status

    def signed(self, key=None, header=None, **claims):
        return jwt.encode({**self.claims, **claims}, key or self.key, algorithm="EdDSA", headers={**self.header, **(header or {})})

    def test_a_peer_verifies_our_token_by_the_published_key(self):
        claims = jwt.decode(self.suite.token, jwt.PyJWK(self.jwk).key, algorithms=["EdDSA"], issuer="hall-3", audience="robots",
                            options={"require": ["iss", "aud", "exp", "nbf", "iat", "jti", "sub"]})
        self.assertEqual((claims["sub"], claims["type"]), ("admin", "access"))
        self.assertEqual(self.header["kid"], self.jwk["kid"])
        self.assertEqual((self.suite.data / "token-key").stat().st_mode & 0o777, 0o600)

    def test_claims_that_do_not_hold_are_refused_however_well_they_are_signed(self):
        now = int(time.time())
        for name, claims in {"expired": {"exp": now - 1}, "not yet": {"nbf": now + 60}, "issuer": {"iss": "other"},
                             "audience": {"aud": "other"}, "audiences": {"aud": ["robots"]}, "kind": {"type": "refresh"},
                             "no user": {"sub": ""}, "role": {"role": "god"}, "no number": {"jti": None},
                             "times as text": {"exp": str(now + 60)}}.items():
            with self.subTest(name):
                self.assertEqual(self.status(self.signed(**claims)), 401)
        without = {key: value for key, value in self.claims.items() if key != "exp"}
        self.assertEqual(self.status(jwt.encode(without, self.key, algorithm="EdDSA", headers=self.header)), 401)

    def test_other_keys_and_algorithms_are_refused(self):
        public = base64.urlsafe_b64decode(self.jwk["x"] + "=")
        body = self.suite.token.split(".")
        hostile = {
            "another key": self.signed(Ed25519PrivateKey.generate()),
            "another key of that name": self.signed(Ed25519PrivateKey.generate(), {"jwk": self.jwk}),
            "hmac by the public key": by_hmac({"alg": "HS256", "typ": "JWT"}, self.claims, public),
            "hmac by the public key of that name": by_hmac({**self.header, "alg": "HS256"}, self.claims, public),
            "hmac under our own header": by_hmac(self.header, self.claims, public),
            "hmac by the key's text": by_hmac({"alg": "HS256", "typ": "JWT"}, self.claims, json.dumps(self.jwk).encode()),
            "a longer hmac": jwt.encode(self.claims, self.jwk["x"], algorithm="HS512"),
            "none": jwt.encode(self.claims, None, algorithm="none"),
            "None": f"{part({**self.header, 'alg': 'None'})}.{body[1]}.",
            "no signature": f"{body[0]}.{body[1]}.",
            "tampered": f"{body[0]}.{part({**self.claims, 'role': 'admin', 'uid': 99})}.{body[2]}",
            "one part more": self.suite.token + ".AAAA",
            "huge": "A" * 7000,
        }
        for name, token in hostile.items():
            with self.subTest(name):
                self.assertEqual(self.status(token), 401)
        self.assertEqual(self.status(self.suite.token), 200)

    def test_a_session_of_nobody_is_worth_its_signature_and_no_more_once_its_user_is_gone(self):
        made = self.suite.post("/api/v1/auth/users", {"username": "brief", "email": "brief@example.org", "full_name": "Brief One",
                                                      "password": "Given to him 1", "role": "admin"}).json
        token = self.signed(sub="brief", uid=made["id"], sid="00000000000000aa")
        self.assertEqual(self.status(token), 403)  # the password has to be changed first
        self.assertEqual(self.suite.http("DELETE", f"/api/v1/auth/users/{made['id']}").status, 200)
        self.assertEqual(self.status(token), 401)


if __name__ == "__main__":
    unittest.main()
