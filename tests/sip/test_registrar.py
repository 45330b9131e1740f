"""The registrar's rules, with real digests."""

import pytest

from townhall.sip import Request, SIPParseError
from townhall.sip.digest import Credentials, answer_challenges
from townhall.sip.hop import Hop
from townhall.sip.registrar import Answer, Registrar, RegistrarSettings

SOURCE = Hop("udp", "192.0.2.20", 5060, ("192.0.2.10", 5060))
PASSWORDS = {"alice": "wonder"}


class Phone:
    """Registers alice; remembers nothing but its CSeq."""

    def __init__(self, registrar: Registrar | None = None, **settings: int) -> None:
        self.registrar = registrar or Registrar(RegistrarSettings(**settings), b"secret")  # type: ignore[arg-type]
        self.cseq = 0
        self.now = 1000.0

    def request(self, *headers: tuple[str, str], user: str = "alice", call_id: str = "reg") -> Request:
        self.cseq += 1
        return Request(
            "REGISTER",
            "sip:example.com",
            [
                ("Via", "SIP/2.0/UDP 192.0.2.20;branch=z9hG4bKr"),
                ("From", f"<sip:{user}@example.com>;tag=f"),
                ("To", f"<sip:{user}@Example.com>"),
                ("Call-ID", call_id),
                ("CSeq", f"{self.cseq} REGISTER"),
                *headers,
            ],
        )

    def register(
        self,
        *headers: tuple[str, str],
        password: str = "wonder",
        username: str = "alice",
        user: str = "alice",
        call_id: str = "reg",
        algorithm: str | None = None,
        source: Hop = SOURCE,
    ) -> Answer:
        """Ask, answer the challenge, ask again."""
        first = self.registrar.claim(self.request(*headers, user=user), source, self.now)
        assert isinstance(first, Answer)
        if first.status != 401:
            return first
        challenges = [v for n, v in first.headers if n == "WWW-Authenticate" and (algorithm or "") in v]
        answer = answer_challenges(
            challenges, username=username, password=password, method="REGISTER", uri="sip:example.com"
        )
        request = self.request(*headers, ("Authorization", str(answer)), user=user, call_id=call_id)
        claim = self.registrar.claim(request, source, self.now)
        assert isinstance(claim, Credentials)
        return self.registrar.register(request, claim, PASSWORDS.get(claim.username), source, self.now)

    def contacts(self) -> list[str]:
        return [str(b.uri) for b in self.registrar.bindings("sip:alice@example.com", self.now)]


def contact(uri: str, expires: int | None = None) -> tuple[str, str]:
    return "Contact", f"<{uri}>" + (f";expires={expires}" if expires is not None else "")


def test_registration_without_credentials_is_challenged_with_both_algorithms() -> None:
    phone = Phone()
    answer = phone.registrar.claim(phone.request(contact("sip:a@1.2.3.4")), SOURCE, 0.0)
    assert isinstance(answer, Answer)
    assert answer.status == 401
    assert [name for name, _ in answer.headers] == ["WWW-Authenticate"] * 2
    assert "SHA-256" in answer.headers[0][1]
    assert "MD5" in answer.headers[1][1]


@pytest.mark.parametrize("algorithm", ["SHA-256", "MD5"])
def test_registration_binds_the_contact_until_it_expires(algorithm: str) -> None:
    phone = Phone()
    answer = phone.register(contact("sip:a@1.2.3.4:5070"), ("Expires", "600"), algorithm=algorithm)
    assert answer == Answer(200, (("Contact", "<sip:a@1.2.3.4:5070>;expires=600"),))
    phone.now += 599
    assert phone.contacts() == ["sip:a@1.2.3.4:5070"]
    phone.now += 2
    assert phone.contacts() == []


def test_wrong_password_and_unknown_user_are_challenged_again() -> None:
    phone = Phone()
    assert phone.register(contact("sip:a@1.2.3.4"), password="wrong").status == 401
    assert phone.register(contact("sip:a@1.2.3.4"), username="nobody", user="nobody").status == 401
    assert phone.contacts() == []


def test_user_cannot_register_the_address_of_another() -> None:
    assert Phone().register(contact("sip:a@1.2.3.4"), user="bob").status == 403


def test_guessing_puts_its_source_off_and_nobody_else() -> None:
    phone = Phone(guesses=3)
    for _ in range(3):
        assert phone.register(password="wrong").status == 401
    assert phone.register().status == 503
    other = Hop("udp", "192.0.2.21", 5060)
    assert phone.register(source=other).status == 200
    phone.now += 61
    assert phone.register().status == 200


def test_expiry_below_the_minimum_is_refused_with_423() -> None:
    answer = Phone().register(contact("sip:a@1.2.3.4", 10))
    assert answer == Answer(423, (("Min-Expires", "60"),))


def test_expiry_above_the_maximum_is_cut() -> None:
    phone = Phone(max_expires_s=300)
    assert phone.register(contact("sip:a@1.2.3.4", 9000)).headers == (
        ("Contact", "<sip:a@1.2.3.4>;expires=300"),
    )


def test_registration_without_contact_lists_the_bindings() -> None:
    phone = Phone()
    phone.register(contact("sip:a@1.2.3.4"), contact("sip:a@5.6.7.8", 120))
    answer = phone.register()
    assert [value for _, value in answer.headers] == [
        "<sip:a@1.2.3.4>;expires=3600",
        "<sip:a@5.6.7.8>;expires=120",
    ]


def test_expiry_of_zero_removes_one_contact_and_star_removes_all() -> None:
    phone = Phone()
    phone.register(contact("sip:a@1.2.3.4"), contact("sip:a@5.6.7.8"), contact("sip:a@9.9.9.9"))
    phone.register(contact("sip:a@5.6.7.8", 0))
    assert phone.contacts() == ["sip:a@1.2.3.4", "sip:a@9.9.9.9"]
    phone.register(("Contact", "*"), ("Expires", "0"))
    assert phone.contacts() == []


def test_star_without_expires_zero_is_refused() -> None:
    phone = Phone()
    phone.register(contact("sip:a@1.2.3.4"))
    assert phone.register(("Contact", "*")).status == 400
    assert phone.contacts() == ["sip:a@1.2.3.4"]


def test_star_beside_a_contact_is_malformed() -> None:
    with pytest.raises(SIPParseError):
        Phone().register(("Contact", "*"), contact("sip:a@1.2.3.4"), ("Expires", "0"))


def test_too_many_contacts_are_refused_and_none_of_them_is_bound() -> None:
    phone = Phone(max_bindings=2)
    phone.register(contact("sip:a@1.2.3.4"))
    assert phone.register(contact("sip:a@1.2.3.5"), contact("sip:a@1.2.3.6")).status == 403
    assert phone.contacts() == ["sip:a@1.2.3.4"]


def test_older_registration_of_the_same_call_id_changes_nothing() -> None:
    phone = Phone()
    phone.register(contact("sip:a@1.2.3.4"))
    phone.cseq = 0
    assert phone.register(contact("sip:a@1.2.3.4", 0)).status == 500
    assert phone.contacts() == ["sip:a@1.2.3.4"]


def test_registration_is_renewed_in_place() -> None:
    phone = Phone()
    for _ in range(3):
        assert phone.register(contact("sip:a@1.2.3.4")).status == 200
    assert phone.contacts() == ["sip:a@1.2.3.4"]


def test_replayed_registration_is_challenged_as_stale() -> None:
    phone = Phone()
    first = phone.registrar.claim(phone.request(), SOURCE, phone.now)
    assert isinstance(first, Answer)
    answer = answer_challenges(
        [first.headers[0][1]],
        username="alice",
        password="wonder",
        method="REGISTER",
        uri="sip:example.com",
    )
    request = phone.request(("Authorization", str(answer)))
    assert answer is not None
    assert phone.registrar.register(request, answer, "wonder", SOURCE, phone.now).status == 200
    again = phone.registrar.register(request, answer, "wonder", SOURCE, phone.now)
    assert (again.status, "stale=true" in again.headers[0][1]) == (401, True)
