"""Premium and emergency numbers, and bursts of calls, are refused."""

import pytest

from townhall.routing import CallPermissions, CallRefused, PermissionSettings
from townhall.store import Trunk


def refusal(number, **settings):
    try:
        CallPermissions(PermissionSettings(**settings)).check(number)
    except CallRefused as refused:
        return refused.code
    return None


@pytest.mark.parametrize("number", ["112", "911", "+112", "999"])
def test_emergency_numbers_are_refused_unless_allowed(number):
    assert refusal(number) == 13225
    assert refusal(number, emergency=True) is None


@pytest.mark.parametrize("number", ["+19005551234", "+49900123456", "+881612345", "+979123456"])
def test_premium_numbers_are_refused_unless_allowed(number):
    assert refusal(number) == 13225
    assert refusal(number, premium=True) is None


@pytest.mark.parametrize("number", ["+15551234567", "+4930123456", "1001", "1121"])
def test_plain_numbers_are_not_refused(number):
    assert refusal(number) is None


def test_minute_has_so_many_calls_and_no_more():
    permissions = CallPermissions(PermissionSettings(calls_per_minute=2))
    permissions.count(0.0)
    permissions.count(30.0)
    with pytest.raises(CallRefused) as refused:
        permissions.count(59.9)
    assert refused.value.code == 20429
    permissions.count(60.0)
    with pytest.raises(CallRefused):
        permissions.count(60.1)


def test_trunk_has_its_own_share_of_the_minute():
    permissions = CallPermissions(PermissionSettings())
    limited, free = Trunk("a", "h", calls_a_minute=1), Trunk("b", "h")
    assert permissions.has_room(limited, 0.0)
    assert permissions.take_room(limited, 0.0)
    assert not permissions.has_room(limited, 1.0)
    assert not permissions.take_room(limited, 59.0)
    assert permissions.take_room(limited, 60.0)
    assert all(permissions.take_room(free, 0.0) for _ in range(100))
