"""Which addresses a link may lead to, in every spelling."""

from __future__ import annotations

import ipaddress
import socket

import pytest
from hypothesis import given
from hypothesis import strategies as st

from medianest.addresses import AllowedAddresses, check_url, is_allowed, parse_address
from medianest.errors import Invalid

EVERYTHING = AllowedAddresses.parse("true")
HOME = AllowedAddresses.parse("10.0.0.0/8,127.0.0.1,fd00::/8")

PRIVATE = [
    "127.0.0.1",
    "10.1.2.3",
    "172.16.0.1",
    "192.168.1.1",
    "100.64.0.1",
    "198.18.0.1",
    "192.0.2.1",
    "::1",
    "fd00::1",
    "fc00::1",
]
NEVER = [
    *(
        "0.0.0.0",
        "0.1.2.3",
        "169.254.169.254",
        "169.254.0.1",
        "224.0.0.1",
        "239.255.255.255",
        "255.255.255.255",
        "240.0.0.1",
    ),
    *("::", "fe80::1", "ff02::1", "fec0::1", "100.100.100.200", "168.63.129.16", "192.0.0.192", "fd00:ec2::254"),
]
PUBLIC = ["8.8.8.8", "93.184.216.34", "1.1.1.1", "2606:4700:4700::1111", "2a00:1450:4001:81b::200e"]

ipv4 = st.integers(0, 2**32 - 1).map(ipaddress.IPv4Address)
not_public = st.one_of(
    st.sampled_from(
        ["127.0.0.1", "10.0.0.1", "192.168.0.1", "172.31.255.255", "169.254.169.254", "100.127.0.1", "0.0.0.0"]
    ),
).map(ipaddress.IPv4Address)


def hidden_in_ipv6(inner: ipaddress.IPv4Address) -> list[ipaddress.IPv6Address]:
    number = int(inner)
    return [
        ipaddress.IPv6Address((0xFFFF << 32) | number),  # mapped
        ipaddress.IPv6Address((0x2002 << 112) | (number << 80)),  # 6to4
        ipaddress.IPv6Address(
            (0x20010000 << 96) | (int(ipaddress.IPv4Address("8.8.8.8")) << 64) | (number ^ 0xFFFFFFFF)
        ),  # Teredo
        ipaddress.IPv6Address(
            (0x20010000 << 96) | (number << 64) | (int(ipaddress.IPv4Address("8.8.8.8")) ^ 0xFFFFFFFF)
        ),
        ipaddress.IPv6Address((0x0064FF9B << 96) | number),  # NAT64
        ipaddress.IPv6Address((0x20010DB9 << 96) | (0x5EFE << 32) | number),  # ISATAP
    ]


@pytest.mark.parametrize("text", PRIVATE)
def test_a_private_address_is_refused_unless_it_is_allowed(text: str) -> None:
    address = ipaddress.ip_address(text)
    assert not is_allowed(address)
    assert is_allowed(address, EVERYTHING)


@pytest.mark.parametrize("text", NEVER)
def test_some_addresses_are_refused_whatever_the_owner_allows(text: str) -> None:
    address = ipaddress.ip_address(text)
    everywhere = AllowedAddresses.parse("0.0.0.0/0,::/0")
    assert not any(is_allowed(address, allowed) for allowed in (AllowedAddresses(), EVERYTHING, everywhere))


@pytest.mark.parametrize("text", PUBLIC)
def test_the_internet_is_allowed(text: str) -> None:
    assert is_allowed(ipaddress.ip_address(text))


def test_a_list_allows_its_networks_and_nothing_beside_them() -> None:
    allowed = ["10.9.9.9", "127.0.0.1", "fd12::1"]
    assert [
        text for text in [*allowed, "127.0.0.2", "192.168.0.1"] if is_allowed(ipaddress.ip_address(text), HOME)
    ] == allowed


@given(not_public)
def test_an_address_hidden_in_another_is_refused(inner: ipaddress.IPv4Address) -> None:
    for outer in hidden_in_ipv6(inner):
        assert not is_allowed(outer), outer


@given(ipv4)
def test_hiding_an_address_never_widens_what_is_allowed(inner: ipaddress.IPv4Address) -> None:
    for outer in hidden_in_ipv6(inner):
        for allowed in (AllowedAddresses(), EVERYTHING, HOME):
            assert is_allowed(inner, allowed) or not is_allowed(outer, allowed)


def spellings(address: ipaddress.IPv4Address) -> list[str]:
    number = int(address)
    a, b, c, d = address.packed
    return [
        f"{a}.{b}.{c}.{d}",
        str(number),
        hex(number),
        oct(number).replace("0o", "0"),
        f"0x{a:x}.{b}.0{c:o}.{d}",
        f"{a}.{(b << 16) | (c << 8) | d}",
        f"{a}.{b}.{(c << 8) | d}",
        f"{a}.{b}.{c}.{d}.",
        f"0X{a:X}.0X{b:X}.0X{c:X}.0X{d:X}",
    ]


@given(ipv4)
def test_every_spelling_is_read_as_the_resolver_reads_it(address: ipaddress.IPv4Address) -> None:
    for text in spellings(address):
        assert parse_address(text) == address, text
        assert socket.inet_aton(text.rstrip(".")) == address.packed


@given(not_public, st.sampled_from(["http", "https", "HTTP"]), st.sampled_from(["", ":80", ":8443"]))
def test_a_link_to_a_private_address_is_refused_in_every_spelling(
    address: ipaddress.IPv4Address, scheme: str, port: str
) -> None:
    for text in [*spellings(address), *(f"[{outer}]" for outer in hidden_in_ipv6(address))]:
        with pytest.raises(Invalid) as refused:
            check_url(f"{scheme}://{text}{port}/video.mp4")
        assert refused.value.code == "address_refused", text


@pytest.mark.parametrize(
    "url",
    [
        "http://localhost/",
        "http://LOCALHOST./x",
        "http://video.localhost/x",
        "http://127。0。0。1/",
        "http://１２７.0.0.1/",
        "http://ⓛocalhost/",
        "http://[::1]:80/",
        "http://[::ffff:127.0.0.1]/",
        "http://[0:0:0:0:0:ffff:7f00:1]/",
        "http://[fe80::1%25eth0]/",
        "http://0/",
        "http://0x7f.1/",
    ],
)
def test_names_and_look_alikes_of_this_machine_are_refused(url: str) -> None:
    with pytest.raises(Invalid) as refused:
        check_url(url)
    assert refused.value.code == "address_refused"


@pytest.mark.parametrize(
    ("url", "code"),
    [
        ("", "link_empty"),
        ("   ", "link_empty"),
        ("-rf", "link_not_http"),
        ("--exec=x", "link_not_http"),
        ("file:///etc/passwd", "link_not_http"),
        ("data:text/html,x", "link_not_http"),
        ("ftp://example.com/x", "link_not_http"),
        ("rtmp://example.com/x", "link_not_http"),
        ("javascript:alert(1)", "link_not_http"),
        ("ytsearch:cats", "link_not_http"),
        ("example.com/video", "link_not_http"),
        ("http://", "link_host"),
        ("http:///x", "link_host"),
        ("http://a..b/", "link_host"),
        ("http://1.2.3.4.5/", "link_host"),
        ("http://256.256.256.256/", "link_host"),
        ("http://example.com:99999/", "link_host"),
        ("http://example.com:x/", "link_host"),
        ("http://[::1/", "link_host"),
        ("http://user@example.com/", "link_credentials"),
        ("http://user:pass@example.com/", "link_credentials"),
        ("http://example.com@127.0.0.1/", "link_credentials"),
        ("http://exa mple.com/", "link_characters"),
        ("http://example.com/\n", None),
        ("http://example.com/a\nb", "link_characters"),
        ("http://example.com/\u202egpj", "link_characters"),
        ("http://example.com\\@127.0.0.1/", "link_characters"),
        ("http://example.com/" + "x" * 10_000, "link_too_long"),
    ],
)
def test_a_bad_link_gets_a_sentence_and_a_code(url: str, code: str | None) -> None:
    if code is None:
        assert check_url(url) == "http://example.com/"
        return
    with pytest.raises(Invalid) as refused:
        check_url(url)
    assert refused.value.code == code
    assert refused.value.message.endswith((".", "."))


@pytest.mark.parametrize(
    ("url", "normal"),
    [
        ("  https://www.youtube.com/watch?v=dQw4w9WgXcQ&t=1  ", "https://www.youtube.com/watch?v=dQw4w9WgXcQ&t=1"),
        ("HTTPS://Example.COM/A?B#C", "https://example.com/A?B#C"),
        ("http://münchen.example/ä", "http://xn--mnchen-3ya.example/ä"),
        ("http://example.com.:8080/", "http://example.com:8080/"),
        ("http://8.8.8.8/x", "http://8.8.8.8/x"),
        ("http://[2606:4700:4700::1111]:8080/x", "http://[2606:4700:4700::1111]:8080/x"),
        ("http://some_host.example/x", "http://some_host.example/x"),
    ],
)
def test_a_good_link_comes_out_in_its_normal_form(url: str, normal: str) -> None:
    assert check_url(url) == normal


def test_an_allowed_private_link_is_taken() -> None:
    assert check_url("http://127.0.0.1:8000/x", HOME) == "http://127.0.0.1:8000/x"
    assert check_url("http://localhost:8000/x", HOME) == "http://localhost:8000/x"
    with pytest.raises(Invalid):
        check_url("http://127.0.0.2:8000/x", HOME)


@given(st.text(max_size=60))
def test_no_link_makes_the_check_fall_over(text: str) -> None:
    for url in (text, f"http://{text}", f"http://{text}/x"):
        try:
            normal = check_url(url)
        except Invalid:
            continue
        assert normal.startswith(("http://", "https://"))
        assert check_url(normal) == normal


@pytest.mark.parametrize("text", ["false", "true", "10.0.0.0/8,127.0.0.1/32", ""])
def test_the_setting_reads_back_what_it_writes(text: str) -> None:
    allowed = AllowedAddresses.parse(text)
    assert AllowedAddresses.parse(allowed.to_text()) == allowed
