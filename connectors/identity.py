"""Which page is the same page: canonical addresses and stable article ids. Pure."""

from __future__ import annotations

import hashlib
import re
from urllib.parse import SplitResult, quote, urlsplit, urlunsplit

ID_HEX_DIGITS = 32
"""128 bits: two of 10^9 articles meet by chance with a probability of about 10^-21."""

DEFAULT_PORTS = {"http": 80, "https": 443}

TRACKING_PREFIXES = ("utm_", "mtm_", "pk_", "at_", "hsa_")
"""Campaign parameters: Urchin/Google, Matomo (new, old), AT Internet, HubSpot ads."""

TRACKING_NAMES = frozenset(
    {
        "fbclid",  # Facebook
        "gclid", "gclsrc", "dclid", "gbraid", "wbraid", "_ga", "_gl",  # Google
        "msclkid",  # Microsoft
        "yclid", "ysclid",  # Yandex
        "twclid",  # X
        "ttclid",  # TikTok
        "igshid", "igsh",  # Instagram
        "li_fat_id", "mc_cid", "mc_eid", "_hsenc", "_hsmi", "vero_id", "oly_enc_id", "oly_anon_id",
        "ocid", "ncid", "cmpid", "xtor", "s_cid",  # newsrooms' own campaign codes
    }
)  # fmt: skip
"""Parameters that say where a reader came from and never which page it is."""

_ESCAPE = re.compile(r"%([0-9A-Fa-f]{2})")
_UNRESERVED = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")
_KEPT_IN_PATH = "/%:@!$&'()*+,;=~"
_KEPT_IN_QUERY = _KEPT_IN_PATH + "?[]"


def canonical_url(url: str) -> str:
    """Write an address the one way that all spellings of the same address share.

    Lower-cases scheme and host; drops the default port, user and password, the fragment (but not
    a ``#!`` route), tracking parameters and one trailing slash; writes Arabic letters and escapes
    as RFC 3986 (6.2.2) has them. The other parameters keep their order.

    Kept on purpose, for they may lead to another page: ``http`` against ``https``, ``www.``,
    ``m.`` and AMP hosts. What a page itself declares as canonical is the cleaner's business.

    Args:
        url: An address; what is none (no host, broken brackets) comes back trimmed.
    """
    trimmed = url.strip()
    try:
        parts = urlsplit(trimmed)
        host, port = parts.hostname, parts.port
    except ValueError:
        return trimmed
    if not host or not parts.scheme:
        return trimmed
    scheme = parts.scheme.lower()
    netloc = _host(host)
    if port is not None and port != DEFAULT_PORTS.get(scheme):
        netloc = f"{netloc}:{port}"
    path = _escaped(parts.path, _KEPT_IN_PATH).removesuffix("/") or "/"
    query = _escaped(_without_tracking(parts.query), _KEPT_IN_QUERY)
    fragment = _escaped(parts.fragment, _KEPT_IN_QUERY) if parts.fragment.startswith("!") else ""
    return urlunsplit(SplitResult(scheme, netloc, path, query, fragment))


def article_id(url: str | None, content: bytes) -> str:
    """The stable id of an article: 32 hex digits.

    Args:
        url: Its address, in any spelling; ``None`` where none is known.
        content: The payload; makes the id only where no address is known, so that the same file
            under two names is one article.
    """
    if url is not None and url.strip():
        basis = "url:" + canonical_url(url)
    else:
        basis = "content:" + hashlib.sha256(content).hexdigest()
    digest = hashlib.sha256(basis.encode("utf-8", "surrogatepass")).hexdigest()
    return digest[:ID_HEX_DIGITS]


def _host(host: str) -> str:
    """Host in lower case and ASCII (IDNA where it can be), IPv6 in brackets."""
    name = host.lower().removesuffix(".")
    if ":" in name:
        return f"[{name}]"
    if name.isascii():
        return name
    try:
        return name.encode("idna").decode("ascii")
    except UnicodeError:
        return name


def _without_tracking(query: str) -> str:
    return "&".join(pair for pair in query.split("&") if pair and not _is_tracking(pair))


def _is_tracking(pair: str) -> bool:
    name = pair.partition("=")[0].lower()
    return name in TRACKING_NAMES or name.startswith(TRACKING_PREFIXES)


def _escaped(text: str, kept: str) -> str:
    """Percent-escapes in upper case, needless ones undone, everything else that needs one set."""
    plain = _ESCAPE.sub(_escape, text)
    return quote(plain, safe=kept, encoding="utf-8", errors="surrogatepass")


def _escape(match: re.Match[str]) -> str:
    char = chr(int(match[1], 16))
    return char if char in _UNRESERVED else match[0].upper()
