"""JSON Web Tokens as the ClearML server makes and refuses them (HMAC only, PyJWT's words)."""

import base64
import binascii
import hashlib
import hmac
import json

DIGESTS = {"HS256": hashlib.sha256, "HS384": hashlib.sha384, "HS512": hashlib.sha512}


class TokenError(Exception):
    """A refused token; family and reason are the two halves of the server's message."""

    def __init__(self, reason, family="invalid jwt token"):
        super().__init__(reason)
        self.reason, self.family = reason, family


def encode(claims, key, algorithm="HS256"):
    """The claims, signed: header.payload.signature."""
    signed = f"{_segment({'alg': algorithm, 'typ': 'JWT'})}.{_segment(claims)}"
    return sign(signed, key, algorithm)


def sign(signed, key, algorithm="HS256"):
    """Append the signature to a `header.payload` text."""
    digest = hmac.new(key.encode(), signed.encode(), DIGESTS[algorithm]).digest()
    return f"{signed}.{_b64encode(digest)}"


def decode(token, key, now):
    """The claims of a token that verifies and is valid now; TokenError otherwise."""
    signed, header, claims, signature = _split(token)
    _verify(signed, header, signature, key)
    _check_times(claims, now)
    return claims


def peek(token):
    """(header, claims) of a token, nothing verified."""
    return _split(token)[1:3]


def _split(token):
    signed, dot, signature = token.rpartition(".")
    header, dot2, payload = signed.partition(".")
    if not (dot and dot2):
        raise TokenError("Not enough segments")
    return (signed, _parse(header, "header"), _parse(payload, "payload"),
            _b64decode(signature, "crypto"))


def _verify(signed, header, signature, key):
    algorithm = header.get("alg")
    if algorithm == "none":
        raise TokenError('When alg = "none", key value must be None.', "jwt invalid key error")
    if algorithm not in DIGESTS:
        raise TokenError("The specified alg value is not allowed")
    expected = hmac.new(key.encode(), signed.encode(), DIGESTS[algorithm]).digest()
    if not hmac.compare_digest(expected, signature):
        raise TokenError("Signature verification failed")


def _check_times(claims, now):
    if claims.get("iat", 0) > now:
        raise TokenError("The token is not yet valid (iat)")
    if claims.get("nbf", 0) > now:
        raise TokenError("The token is not yet valid (nbf)")
    if "exp" in claims and claims["exp"] <= now:
        raise TokenError("Signature has expired")


def _segment(value):
    return _b64encode(json.dumps(value, separators=(",", ":")).encode())


def _b64encode(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _b64decode(text, part):
    data = text.encode("latin-1", "replace")
    try:
        return base64.urlsafe_b64decode(data + b"=" * (-len(data) % 4))
    except binascii.Error:
        raise TokenError(f"Invalid {part} padding") from None


def _parse(text, part):
    try:
        value = json.loads(_b64decode(text, part))
    except ValueError as error:
        raise TokenError(f"Invalid {part} string: {error}") from None
    if not isinstance(value, dict):
        raise TokenError(f"Invalid {part} string: must be a json object")
    return value
