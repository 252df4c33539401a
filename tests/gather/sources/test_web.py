"""Which machines may be asked."""

from __future__ import annotations

from dataclasses import replace

import pytest

from facelib.gather.sources.web import WebLimits, ask, new_session


def asked(address, limits):
    with new_session(limits) as session, ask(session, address, limits) as response:
        return response.status_code


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1",
        "localhost",
        "film.localhost",
        "[::1]",
        "[::ffff:127.0.0.1]",  # the same machine in IPv6 clothes
        "10.0.0.1",
        "192.168.1.1",
        "169.254.169.254",  # where cloud machines keep their secrets
        "100.64.0.1",
        "0.0.0.0",
        "224.0.0.1",
        "2130706433",  # 127.0.0.1 as one number
        "127.1",  # names that only the resolver knows to be this machine
    ],
)
def test_private_machines_are_refused(host, site):
    with pytest.raises(ValueError, match=r"on the public internet.*private_addresses"):
        asked(f"http://{host}:{site.server_port}/", WebLimits(attempts=1))
    assert site.asked == []


def test_private_machines_may_be_allowed(site, limits):
    assert asked(site.address("/"), limits) == 404


def test_a_redirect_to_a_private_machine_is_refused(site, limits, monkeypatch):
    """The first machine counts as public here, as a server on the internet would."""
    site.put("/a", lambda request: request.begin(302, {"Location": "http://[::1]/", "Content-Length": "0"}))
    monkeypatch.setattr("facelib.gather.sources.web._is_public", lambda host: host == "127.0.0.1")
    with pytest.raises(ValueError, match="'::1'"):
        asked(site.address("/a"), replace(limits, private=False))


@pytest.mark.parametrize(
    "address",
    [
        "",
        "film.mp4",
        "ftp://example.org/a.mp4",
        "file:///etc/passwd",
        "http://",
        "http://a:b",
        "http://[::1",
        "urn:a:b",
    ],
)
def test_what_is_no_web_address(address, limits):
    with pytest.raises(ValueError):
        asked(address, limits)


def test_a_file_is_told_to_be_given_as_a_path(limits):
    with pytest.raises(ValueError, match="give its path"):
        asked("file:///films/a.mp4", limits)


def test_passwords_are_not_shown(limits):
    with pytest.raises(ValueError) as caught:
        asked("ftp://ann:secret@example.org/", limits)
    assert "secret" not in str(caught.value)
