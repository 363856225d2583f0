"""Where live pictures come from: the address of a stream, the number of a camera, or a file.

User and password of an address are never shown: whatever is printed, logged or sent goes through `hide_password`.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import parse_qsl, quote, quote_plus, unquote, unquote_plus, urlsplit

from vidmodel_tf.errors import InputError

# By scheme, the protocols that FFmpeg may use for it. What a stream names inside itself is opened by no other.
PROTOCOLS = {
    "rtsp": "rtsp,rtp,tcp,udp",
    "rtsps": "rtsps,rtsp,rtp,tls,tcp,udp",
    "http": "http,https,tls,tcp",
    "https": "https,tls,tcp",
    "udp": "udp",
    "tcp": "tcp",
    "rtp": "rtp,udp",
    "tls": "tls,tcp",
}
HIDDEN = "***"
_SECRET_NAMES = re.compile(r"pass|pwd|token|secret|auth|key|sig|user|login|account", re.IGNORECASE)


@dataclass(frozen=True)
class Address:
    """Where pictures come from.

    Attributes:
        kind: "stream", "device" or "file".
        text: As the user gave it; it may hold a password.
    """

    kind: str
    text: str = field(repr=False)

    @property
    def shown(self) -> str:
        """The same, fit to be printed."""
        return hide_password(self.text, self.text)

    @property
    def scheme(self) -> str:
        """Of a stream."""
        return self.text.partition(":")[0].lower()


def parse_address(text: str) -> Address:
    """Tells what an address is.

    Raises:
        InputError: It is none of a stream of an allowed protocol, a device number and a file that exists.
    """
    if text.isascii() and text.isdigit():
        return Address("device", text)
    scheme, separator, _ = text.partition("://")
    if separator and not _is_file(text):
        return _parse_stream(Address("stream", text), scheme.lower())
    if not _is_file(text):
        raise InputError(
            f"expected the address of a stream ({', '.join(PROTOCOLS)}), the number of a camera or a video file. "
            f"Received: {hide_password(text, f'rtsp://{text}')}, and there is no such file"
        )
    return Address("file", os.fspath(Path(text).absolute()))


def _is_file(text: str) -> bool:
    try:
        return Path(text).is_file()
    except (OSError, ValueError):  # too long for a name
        return False


def _parse_stream(address: Address, scheme: str) -> Address:
    if scheme not in PROTOCOLS:
        raise InputError(f"{address.shown}: expected one of the protocols {', '.join(PROTOCOLS)}. Received: {scheme}")
    try:
        has_host = bool(urlsplit(address.text).hostname)
        _ = urlsplit(address.text).port
    except ValueError:
        has_host = False
    # An unescaped "/" in a password makes FFmpeg look for a host that is named like the user.
    if not has_host and not (scheme in ("udp", "rtp", "tcp") and "@:" in address.text):
        raise InputError(
            f"{address.shown}: expected an address such as {scheme}://user:password@host:554/path. In user and "
            "password write % escapes for : / ? # @ (%3A %2F %3F %23 %40)"
        )
    return address


def hide_password(text: str, url: str) -> str:
    """A text without user and password of an address, however they are written in it.

    Args:
        text: A message, a path, the address itself.
        url: The address.

    Example:
        >>> hide_password("rtsp://admin:p%40ss@10.0.0.7/1: wrong p@ss", "rtsp://admin:p%40ss@10.0.0.7/1")
        'rtsp://***@10.0.0.7/1: wrong ***'
    """
    for login in _logins(url):
        text = text.replace(f"{login}@", f"{HIDDEN}@").replace(f"{unquote(login)}@", f"{HIDDEN}@")
    # The longest first: a password may hold another one.
    for secret in sorted(_secrets(url), key=len, reverse=True):
        text = text.replace(secret, HIDDEN)
    return text


def _logins(url: str) -> list[str]:
    """What stands before the host, the longest reading first: a password may hold "/" and "@" that nobody escaped."""
    _, separator, rest = url.partition("://")
    if not separator:
        return []
    authority = re.split(r"[/?#]", rest, maxsplit=1)[0]
    logins = [authority.rpartition("@")[0]]
    longest = rest.rpartition("@")[0]
    # An "@" in the path of host:port looks the same as one after a password: rather too much is hidden.
    if ":" in longest and not authority.startswith("["):
        logins.insert(0, longest)
    return [login for login in logins if login]


def _secrets(url: str) -> set[str]:
    passwords = {login.partition(":")[2] for login in _logins(url)}
    query = url.partition("?")[2].partition("#")[0]
    passwords |= {value for name, value in parse_qsl(query) if _SECRET_NAMES.search(name)}
    forms = (str, unquote, unquote_plus, quote, quote_plus, lambda secret: quote(secret, safe=""), _lower_escapes)
    written = {form(plain) for secret in passwords for plain in (secret, unquote(secret)) for form in forms}
    return written - {"", HIDDEN}


def _lower_escapes(secret: str) -> str:
    return re.sub("%[0-9A-F]{2}", lambda escape: escape.group().lower(), quote(secret, safe=""))
