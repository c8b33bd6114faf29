"""Who may use the server: one account with a password, sessions for browsers, and a limit on guessing."""

from penstock.services.auth.credentials import Credentials, generate_password, problems_of
from penstock.services.auth.lockout import LockedOutError, Lockout, LockoutRules
from penstock.services.auth.service import Account, AuthService, Identity, LoginRequiredError

__all__ = [
    "Account",
    "AuthService",
    "Credentials",
    "Identity",
    "LockedOutError",
    "Lockout",
    "LockoutRules",
    "LoginRequiredError",
    "generate_password",
    "problems_of",
]
