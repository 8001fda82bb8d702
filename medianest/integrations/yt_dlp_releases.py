"""yt-dlp's release pages: which release is the newest, and its files.

A release holds `yt-dlp` (a program for any Python: a line, then a zip with `yt_dlp` and `yt_dlp_ejs`), `SHA2-256SUMS` with
the sums of its files, and `_update_spec`, which holds old systems back at an older release. The sums lie at the same place
as the files, so they prove that nothing was damaged on the way; where it came from rests on https.
"""

from __future__ import annotations

import re
from urllib.parse import urljoin, urlsplit

import msgspec

from medianest.errors import UpstreamFailed
from medianest.integrations.failures import AddressRefused
from medianest.integrations.http import MOVED, Answer, HttpClient, Reach, host_of

DEFAULT_URL = "https://github.com/yt-dlp/yt-dlp/releases"
PAGE = "/yt-dlp/yt-dlp/releases"  # as people know it; other repositories lie beside it
PROGRAM, SUMS, SPEC = "yt-dlp", "SHA2-256SUMS", "_update_spec"
LARGEST_PROGRAM_BYTES = 32 * 1024**2
LARGEST_TEXT_BYTES = 256 * 1024
FILE_TIME_S = 600.0
MOST_HOPS = 4
FILE_HOSTS = ".githubusercontent.com"  # where the release page sends people for the files
HEADERS = {"Accept": "application/json, application/octet-stream, */*", "User-Agent": "MediaNest"}

_TAG_IN_PATH = re.compile(r"/releases/tag/([^/?#]+)$")


class MissingFile(UpstreamFailed):
    """A release does not have the file."""

    default_code = "release_file_missing"


class ReleasePages:
    """Reads releases of fixed repositories.

    Args:
        url: a release page of yt-dlp, or the site that has it; empty: the usual one.
        client: for the owner's own address, which may lie in the house; the usual one never may.
    """

    def __init__(self, url: str = "", client: HttpClient | None = None) -> None:
        self.url = url or DEFAULT_URL
        self._base = self.url.removesuffix(PAGE)
        self._is_usual = self.url == DEFAULT_URL
        self._client = client or HttpClient(
            Reach.PUBLIC if self._is_usual else Reach.OWNER, largest_bytes=LARGEST_TEXT_BYTES
        )

    async def close(self) -> None:
        await self._client.close()

    async def latest(self, repository: str) -> str:
        """Name of the newest release, as it stands there.

        Raises:
            UpstreamFailed: it can not be had, or names none.
        """
        url = f"{self._base}/{repository}/releases/latest"
        answer = await self._client.request("GET", url, headers=HEADERS)
        if answer.status in MOVED:
            found = _TAG_IN_PATH.search(urlsplit(answer.headers.get("location", "")).path)
            tag = found[1] if found else ""
        elif answer.status == 200:
            tag = _tag_of(answer)
        else:
            raise self._failed(answer, "the newest release")
        if not tag:
            raise UpstreamFailed(f"{answer.host} did not say which release of yt-dlp is the newest.", code="no_release")
        return tag

    async def sums(self, repository: str, tag: str) -> str:
        """The text of the sums; raises `MissingFile`, UpstreamFailed."""
        return await self._text(f"{repository}/releases/download/{tag}/{SUMS}", SUMS)

    async def spec(self, repository: str) -> str:
        """What holds old systems back, by the newest release; empty when there is none."""
        try:
            return await self._text(f"{repository}/releases/latest/download/{SPEC}", SPEC)
        except MissingFile:
            return ""

    async def program(self, repository: str, tag: str) -> bytes:
        """The program itself; raises `MissingFile`, UpstreamFailed."""
        path = f"{repository}/releases/download/{tag}/{PROGRAM}"
        return (await self._file(path, PROGRAM, LARGEST_PROGRAM_BYTES, FILE_TIME_S)).content

    async def _text(self, path: str, name: str) -> str:
        answer = await self._file(path, name, LARGEST_TEXT_BYTES, None)
        try:
            return answer.content.decode("utf-8")
        except UnicodeDecodeError as error:
            raise UpstreamFailed(f"{answer.host} sent a {name} that can not be read.", code="unreadable") from error

    async def _file(self, path: str, name: str, most: int, timeout_s: float | None) -> Answer:
        url = f"{self._base}/{path}"
        for _hop in range(MOST_HOPS):
            answer = await self._client.request("GET", url, headers=HEADERS, largest_bytes=most, timeout_s=timeout_s)
            target = answer.headers.get("location")
            if answer.status not in MOVED or not target:
                break
            url = self._judged(urljoin(url, target))
        if answer.status == 404:
            raise MissingFile(f"The release has no file {name}.")
        if answer.status != 200:
            raise self._failed(answer, name)
        length = answer.headers.get("content-length", "")
        if length.isdigit() and int(length) != len(answer.content):
            raise UpstreamFailed(f"{answer.host} broke off in the middle of {name}.", code="broken_off")
        return answer

    def _judged(self, url: str) -> str:
        """An address that a file may be fetched from: the same host, or where the usual page keeps its files."""
        host, own = host_of(url), host_of(self._base)
        is_secure = urlsplit(url).scheme == "https" or urlsplit(self._base).scheme == "http"
        is_known = host == own or (self._is_usual and host.endswith(FILE_HOSTS))
        if not (is_secure and is_known):
            raise AddressRefused(host)
        return url

    def _failed(self, answer: Answer, what: str) -> UpstreamFailed:
        return UpstreamFailed(
            f"{answer.host} did not give {what} of yt-dlp (it answered {answer.status}). It is tried again tomorrow.",
            code=f"status_{answer.status}",
        )


def _tag_of(answer: Answer) -> str:
    try:
        found = msgspec.json.decode(answer.content)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return ""
    tag = found.get("tag_name") if isinstance(found, dict) else None
    return tag if isinstance(tag, str) else ""
