"""Secrets at rest: sealed with a key made from the installation's own, bound to the place they stand in.

AES-256-GCM with a random nonce. A sealed text is `v1.<key>.<base64>`: `<key>` tells which secret key made it, so that a
wrong key is told from a damaged text.
"""

from __future__ import annotations

import base64
import hmac
import os
from typing import TYPE_CHECKING

from medianest.errors import MediaNestError
from medianest.logs import redactor

if TYPE_CHECKING:
    from Cryptodome.Cipher._mode_gcm import GcmMode

VERSION = "v1"
NONCE_BYTES = 12
TAG_BYTES = 16


class SealBroken(MediaNestError):
    """A stored secret can not be read: another secret key made it, or it was changed. `is_other_key` tells which."""

    status = 503
    title = "A stored secret can not be read"
    default_code = "secret_unreadable"

    def __init__(self, place: str, *, is_other_key: bool) -> None:
        cause = "it was stored with another secret key" if is_other_key else "it is damaged"
        super().__init__(
            f"A stored secret ({place.split(':', maxsplit=1)[0]}) can not be read: {cause}. Enter it again."
        )
        self.is_other_key = is_other_key


class Vault:
    """Seals and opens secrets with one secret key."""

    def __init__(self, secret_key: bytes) -> None:
        self._key = hmac.digest(secret_key, b"stored secrets", "sha256")
        self.key_id = hmac.digest(self._key, b"id", "sha256").hex()[:8]

    def seal(self, text: str, place: str) -> str:
        """`text` as it may be stored.

        Args:
            place: where it stands, such as `plex_accounts.account_token:7`; it opens nowhere else.
        """
        nonce = os.urandom(NONCE_BYTES)
        sealed, tag = self._cipher(nonce, place).encrypt_and_digest(text.encode())
        redactor.learn(text)
        return f"{VERSION}.{self.key_id}.{base64.urlsafe_b64encode(nonce + sealed + tag).decode()}"

    def open(self, sealed: str, place: str) -> str:
        """What `seal` was given; the log never shows it from then on.

        Raises:
            SealBroken: another key made it, or it was changed or moved.
        """
        version, _, rest = sealed.partition(".")
        key_id, _, body = rest.partition(".")
        if version != VERSION or key_id != self.key_id:
            raise SealBroken(place, is_other_key=version == VERSION)
        try:
            raw = base64.urlsafe_b64decode(body)
            nonce, text, tag = raw[:NONCE_BYTES], raw[NONCE_BYTES:-TAG_BYTES], raw[-TAG_BYTES:]
            opened = self._cipher(nonce, place).decrypt_and_verify(text, tag).decode()
        except ValueError as error:  # no base64, too short, or the tag is another
            raise SealBroken(place, is_other_key=False) from error
        redactor.learn(opened)
        return opened

    def _cipher(self, nonce: bytes, place: str) -> GcmMode:
        from Cryptodome.Cipher import AES

        cipher = AES.new(self._key, AES.MODE_GCM, nonce=nonce, mac_len=TAG_BYTES)
        cipher.update(place.encode())
        return cipher
