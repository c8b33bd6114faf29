"""What every request passes through, as plain ASGI: no copies of bodies, no buffering of streams."""

from penstock.api.middleware.failures import Failures
from penstock.api.middleware.gate import Gate, identity_of, login_of, person_of, username_of
from penstock.api.middleware.headers import SecurityHeaders
from penstock.api.middleware.heads import Heads
from penstock.api.middleware.paths import PathRewriter
from penstock.api.middleware.timing import Timing

__all__ = [
    "Failures",
    "Gate",
    "Heads",
    "PathRewriter",
    "SecurityHeaders",
    "Timing",
    "identity_of",
    "login_of",
    "person_of",
    "username_of",
]
