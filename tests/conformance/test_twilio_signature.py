"""`X-Twilio-Signature`: the vectors of the security sheet (those of twilio-python's tests), and Twilio's own
validator.

The last vector, a GET without parameters, was computed by us.
"""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from twilio.request_validator import RequestValidator

from townhall.webhooks import sign

TOKEN = "12345"
URL = "https://mycompany.com/myapp.php?foo=1&bar=2"
CALL = [
    ("CallSid", "CA1234567890ABCDE"),
    ("Caller", "+14158675309"),
    ("Digits", "1234"),
    ("From", "+14158675309"),
    ("To", "+18005551212"),
]
HASH = "0a1ff7634d9ab3b95db5c9a2dfe9416e41502b283a80c7cf19632632f96e6620"
VECTORS = [
    (URL, CALL, "RSOYDt4T1cUTdK1PDd93/VVr8B8="),
    ("https://mycompany.com:443/myapp.php?foo=1&bar=2", CALL, "kvajT1Ptam85bY51eRf/AJRuM3w="),
    ("http://mycompany.com:80/myapp.php?foo=1&bar=2", CALL, "0ZXoZLH/DfblKGATFgpif+LLRf4="),
    ("http://mycompany.com:1234/myapp.php?foo=1&bar=2", CALL, "Zmvh+3yNM1Phv2jhDCwEM3q5ebU="),
    (
        URL,
        [
            ("Sid", "CA123"),
            ("SidAccount", "AC123"),
            ("Digits", "5678"),
            ("Digits", "1234"),
            ("Digits", "1234"),
        ],
        "IK+Dwps556ElfBT0I3Rgjkr1wJU=",
    ),
    (URL + "&bodySHA256=" + HASH, [], "a9nBmqA0ju/hNViExpshrM61xv4="),
    (URL, [], "zYQTYrRWXE7LtzbG4PfP7/bkkGo="),
]


@pytest.mark.parametrize(("url", "parameters", "signature"), VECTORS)
def test_vector_of_the_sheet(url, parameters, signature):
    assert sign(TOKEN, url, parameters) == signature


@pytest.mark.parametrize(("url", "parameters", "signature"), VECTORS)
def test_order_of_the_parameters_does_not_matter(url, parameters, signature):
    assert sign(TOKEN, url, list(reversed(parameters))) == signature


def test_names_sort_by_code_point():
    message = sign(TOKEN, URL, [("apple", "1"), ("Zebra", "2")])
    assert message == sign(TOKEN, URL + "Zebra2apple1")


@settings(deadline=None)
@given(
    st.dictionaries(
        st.text(st.characters(exclude_categories=["Cs"])),
        st.text(st.characters(exclude_categories=["Cs"])),
        max_size=8,
    )
)
def test_validator_accepts_any_parameters(parameters):
    signature = sign(TOKEN, URL, list(parameters.items()))
    assert RequestValidator(TOKEN).validate(URL, parameters, signature)


@settings(deadline=None)
@given(st.lists(st.text(max_size=5), min_size=1, max_size=5))
def test_validator_accepts_repeated_names(values):
    from werkzeug.datastructures import MultiDict

    parameters = [("Digits", value) for value in values]
    surrogates = any(0xD800 <= ord(letter) <= 0xDFFF for value in values for letter in value)
    if not surrogates:
        assert RequestValidator(TOKEN).validate(URL, MultiDict(parameters), sign(TOKEN, URL, parameters))


@pytest.mark.parametrize(
    "origin", ["http://a.example", "http://a.example:80", "https://a.example:443", "http://a.example:8080"]
)
def test_validator_accepts_ports_however_they_are_written(origin):
    signature = sign(TOKEN, origin + "/x", CALL)
    assert RequestValidator(TOKEN).validate(origin + "/x", dict(CALL), signature)


def test_other_token_is_another_signature():
    assert not RequestValidator("other").validate(URL, dict(CALL), sign(TOKEN, URL, CALL))
