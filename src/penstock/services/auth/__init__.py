"""Who may use the server: one account with a password, those of programs, sessions, tokens, a limit on guessing."""

from penstock.services.auth.accounts import ServiceAccount, ServiceAccounts, owner_of
from penstock.services.auth.credentials import Account, Credentials, generate_password, problems_of
from penstock.services.auth.lockout import LockedOutError, Lockout, LockoutRules
from penstock.services.auth.service import AuthService, Identity, LoginRequiredError
from penstock.services.auth.tokens import NewToken, Tokens

__all__ = [
    "Account",
    "AuthService",
    "Credentials",
    "Identity",
    "LockedOutError",
    "Lockout",
    "LockoutRules",
    "LoginRequiredError",
    "NewToken",
    "ServiceAccount",
    "ServiceAccounts",
    "Tokens",
    "generate_password",
    "owner_of",
    "problems_of",
]
