"""One message of our own for each of RFC 4475's tests, under the RFC's name for it."""

from tests.conformance.rfc4475.invalid import INVALID
from tests.conformance.rfc4475.meaning import MEANING
from tests.conformance.rfc4475.valid import VALID

MESSAGES = (*VALID, *INVALID, *MEANING)
BY_NAME = {message.name: message for message in MESSAGES}
