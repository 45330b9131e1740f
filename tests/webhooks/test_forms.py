"""A form is encoded as `urlencode` does it."""

from urllib.parse import urlencode

from hypothesis import given
from hypothesis import strategies as st

from townhall.webhooks.forms import form_encoded

_TEXTS = st.text(st.characters(exclude_categories=()), max_size=12)


@given(st.lists(st.tuples(_TEXTS, _TEXTS), max_size=6))
def test_form_is_what_urlencode_makes_of_it(pairs: list[tuple[str, str]]) -> None:
    assert form_encoded(pairs) == urlencode(pairs, errors="surrogatepass").encode("ascii")
