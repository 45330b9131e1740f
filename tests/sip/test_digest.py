"""Digest authentication: the RFCs' vectors, the server's verdicts, the client's choices."""

import dataclasses

import pytest

from townhall.sip import SIPParseError
from townhall.sip.digest import (
    Challenge,
    Credentials,
    DigestAuthenticator,
    Verdict,
    answer_challenges,
    digest_response,
    parse_challenges,
)

# RFC 7616 section 3.9.1.
RFC_7616 = {
    "username": "Mufasa",
    "realm": "http-auth@example.org",
    "password": "Circle of Life",
    "nonce": "7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v",
    "method": "GET",
    "uri": "/dir/index.html",
    "cnonce": "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ",
}
# RFC 2617 section 3.5.
RFC_2617 = {
    "username": "Mufasa",
    "realm": "testrealm@host.com",
    "password": "Circle Of Life",
    "nonce": "dcd98b7102dd2f0e8b11d0f600bfb0c093",
    "method": "GET",
    "uri": "/dir/index.html",
}


@pytest.mark.parametrize(
    ("algorithm", "response"),
    [
        ("MD5", "8ca523f5e9506fed4657c9700eebdbec"),
        ("SHA-256", "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1"),
    ],
)
def test_digest_of_rfc7616_is_the_rfcs(algorithm: str, response: str) -> None:
    assert digest_response(algorithm=algorithm, qop="auth", nc=1, **RFC_7616) == response


def test_digest_of_rfc2617_is_the_rfcs() -> None:
    response = digest_response(algorithm="MD5", qop="auth", nc=1, cnonce="0a4f113b", **RFC_2617)
    assert response == "6629fae49393a05397450978507c4ef1"


def test_digest_without_qop_is_that_of_rfc2069() -> None:
    assert digest_response(algorithm="MD5", **RFC_2617) == "670fd8c2df070c60b045671b8b24ff02"


def test_client_answers_rfc7616s_challenges_with_sha_256() -> None:
    challenge = (
        'Digest realm="http-auth@example.org", qop="auth, auth-int", algorithm={}, '
        'nonce="7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v", '
        'opaque="FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS"'
    )
    answer = {key: value for key, value in RFC_7616.items() if key not in ("realm", "nonce")}
    credentials = answer_challenges([challenge.format("MD5"), challenge.format("SHA-256")], **answer)
    assert credentials is not None
    assert credentials.algorithm == "SHA-256"
    assert credentials.response == "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1"
    assert (credentials.qop, credentials.nc) == ("auth", 1)
    assert credentials.opaque == "FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS"
    assert Credentials.parse(str(credentials)) == credentials


def test_client_answers_a_challenge_without_qop_as_rfc2069() -> None:
    credentials = answer_challenges(
        ['digest REALM="testrealm@host.com",nonce="dcd98b7102dd2f0e8b11d0f600bfb0c093"'],
        username="Mufasa",
        password="Circle Of Life",
        method="GET",
        uri="/dir/index.html",
        cnonce="unused",
    )
    assert credentials is not None
    assert credentials.response == "670fd8c2df070c60b045671b8b24ff02"
    assert (credentials.qop, credentials.cnonce, credentials.nc) == (None, None, 0)
    assert "cnonce" not in str(credentials)


@pytest.mark.parametrize(
    "values",
    [
        [],
        ["Basic realm=x"],
        ['Digest realm="a", nonce="b", algorithm=SHA-512-256'],
        ['Digest realm="a", nonce="b", qop="auth-conf"'],
        ['Digest realm="a"'],
        ["Digest"],
    ],
)
def test_client_that_can_answer_no_challenge_gives_none(values: list[str]) -> None:
    assert answer_challenges(values, username="u", password="p", method="REGISTER", uri="sip:a") is None


def test_challenges_joined_in_one_header_are_told_apart() -> None:
    value = 'Basic realm="x", Digest realm="a, b", nonce="1", qop="auth,auth-int", stale=TRUE'
    value += ', Digest realm="c",nonce=2'
    assert parse_challenges([value]) == [
        Challenge("a, b", "1", qop=("auth", "auth-int"), stale=True),
        Challenge("c", "2"),
    ]


@pytest.mark.parametrize("algorithm", ["MD5", "MD5-sess", "SHA-256", "SHA-256-sess"])
@pytest.mark.parametrize("qop", ["auth", "auth-int", None])
def test_client_and_response_agree_for_each_algorithm_and_qop(algorithm: str, qop: str | None) -> None:
    challenge = Challenge("r", "n", algorithm, (qop,) if qop else ())
    credentials = answer_challenges(
        [str(challenge)], username="ü", password="ß", method="INVITE", uri="sip:a", body=b"v=0", cnonce="c"
    )
    assert credentials is not None
    assert credentials.response == digest_response(
        algorithm=algorithm,
        username="ü",
        realm="r",
        password="ß",
        nonce="n",
        method="INVITE",
        uri="sip:a",
        qop=qop,
        nc=1,
        cnonce="c",
        body=b"v=0",
    )


@pytest.mark.parametrize(
    "text",
    [
        *("", "Basic dXNlcg==", "Digest", 'Digest username="a"', "NoOneKnowsThisScheme opaque-data=here"),
        'Digest username="a", realm="r", nonce="n", uri="u", response="x", nc=zz',
        'Digest username="open',
    ],
)
def test_credentials_that_are_none_are_an_error(text: str) -> None:
    with pytest.raises(SIPParseError):
        Credentials.parse(text)


# From here on: the server's side.


def server(**options: object) -> DigestAuthenticator:
    return DigestAuthenticator("townhall", b"secret", **options)  # type: ignore[arg-type]


def answer(challenge: Challenge, nc: int = 1, password: str = "pw") -> Credentials:
    credentials = answer_challenges(
        [str(challenge)], username="alice", password=password, method="REGISTER", uri="sip:h", nc=nc
    )
    assert credentials is not None
    return credentials


def verify(authenticator: DigestAuthenticator, credentials: Credentials, now: float = 1.0) -> Verdict:
    return authenticator.verify(credentials, method="REGISTER", password="pw", now=now)


def test_server_challenges_with_sha_256_first() -> None:
    challenges = server().challenges(0.0)
    assert [challenge.algorithm for challenge in challenges] == ["SHA-256", "MD5"]
    assert {challenge.qop for challenge in challenges} == {("auth",)}
    assert parse_challenges([str(challenge) for challenge in challenges]) == challenges


@pytest.mark.parametrize("which", [0, 1])
def test_server_accepts_either_algorithm(which: int) -> None:
    authenticator = server()
    assert verify(authenticator, answer(authenticator.challenges(0.0)[which])) is Verdict.ACCEPTED


def test_server_refuses_a_wrong_password_user_method_realm_and_algorithm() -> None:
    authenticator = server(algorithms=("SHA-256",))
    good = answer(authenticator.challenges(0.0)[0])
    assert (
        verify(authenticator, answer(authenticator.challenges(0.0)[0], password="other")) is Verdict.REFUSED
    )
    assert authenticator.verify(good, method="REGISTER", password=None, now=1.0) is Verdict.REFUSED
    assert authenticator.verify(good, method="INVITE", password="pw", now=1.0) is Verdict.REFUSED
    for change in (
        {"realm": "x"},
        {"algorithm": "MD5"},
        {"algorithm": "SHA-1"},
        {"qop": "auth-int"},
        {"uri": "sip:x"},
    ):
        assert verify(authenticator, dataclasses.replace(good, **change)) is Verdict.REFUSED
    assert verify(authenticator, good) is Verdict.ACCEPTED


def test_server_calls_the_same_count_again_stale() -> None:
    authenticator = server()
    challenge = authenticator.challenges(0.0)[0]
    assert verify(authenticator, answer(challenge, 1)) is Verdict.ACCEPTED
    assert verify(authenticator, answer(challenge, 1)) is Verdict.STALE


def test_server_takes_counts_out_of_order_within_the_window() -> None:
    authenticator = server()
    challenge = authenticator.challenges(0.0)[0]
    verdicts = {nc: verify(authenticator, answer(challenge, nc)) for nc in (70, 8, 7, 6, 1, 71, 200, 72)}
    accepted = [nc for nc, verdict in verdicts.items() if verdict is Verdict.ACCEPTED]
    assert accepted == [70, 8, 7, 71, 200]
    assert verify(authenticator, answer(challenge, 70)) is Verdict.STALE


def test_server_calls_a_nonce_stale_when_its_life_is_over() -> None:
    authenticator = server(lifetime_s=300.0)
    challenge = authenticator.challenges(10.0)[0]
    assert verify(authenticator, answer(challenge, 1), now=309.0) is Verdict.ACCEPTED
    assert verify(authenticator, answer(challenge, 2), now=311.0) is Verdict.STALE


def test_server_calls_a_nonce_of_another_server_stale_when_the_password_is_right() -> None:
    challenge = DigestAuthenticator("townhall", b"other").challenges(0.0)[0]
    assert verify(server(), answer(challenge)) is Verdict.STALE
    assert verify(server(), answer(challenge, password="wrong")) is Verdict.REFUSED
    for nonce in ("", ".", "x.y", "..", "ü.1.2"):
        assert verify(server(), answer(dataclasses.replace(challenge, nonce=nonce))) is Verdict.STALE


def test_server_accepts_credentials_without_qop_once() -> None:
    authenticator = server()
    credentials = answer(dataclasses.replace(authenticator.challenges(0.0)[1], qop=()))
    assert credentials.qop is None
    assert verify(authenticator, credentials) is Verdict.ACCEPTED
    assert verify(authenticator, credentials) is Verdict.STALE


def test_server_remembers_a_bounded_number_of_nonces_and_no_replay_gets_in() -> None:
    authenticator = server(max_nonces=4)
    used = [answer(authenticator.challenges(float(second))[0]) for second in range(8)]
    assert [verify(authenticator, credentials, now=9.0) for credentials in used] == [Verdict.ACCEPTED] * 8
    assert [verify(authenticator, credentials, now=9.0) for credentials in used] == [Verdict.STALE] * 8


def test_server_marks_its_next_challenge_stale_when_asked() -> None:
    assert all(challenge.stale for challenge in server().challenges(0.0, stale=True))
    assert "stale=true" in str(server().challenges(0.0, stale=True)[0])
