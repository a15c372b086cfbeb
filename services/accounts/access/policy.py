"""What a password must look like, how often it may change, and when it locks an account.

The rules are those of a security profile's ``PasswordConfig``. Of several profiles the strictest
value of each rule holds. Where none of them says otherwise, a password has at least 8 characters,
and 10 wrong ones lock the account for 15 minutes.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta

from shared.contracts.base import Error, Resource
from shared.http.errors import error

LONGEST = 1_000
"""Characters that a password may have, whatever its rules: hashing more would only cost time."""

REMEMBERED = 24
"""How many passwords of a user are remembered at most to prevent their reuse."""


class PasswordRules(Resource):
    """A ``PasswordConfig``, with its wire names; what is None, or 0, is no rule.

    ``maximum_password_age`` is in days; ``minimum_password_age`` and ``lockout_duration`` are in
    minutes, and a lock-out of 0 minutes lasts until an administrator ends it.
    """

    limit_password_reuse: int | None = None
    max_consecutive_dupe_chars: int | None = None
    maximum_password_age: int | None = None
    minimum_password_age: int | None = None
    allowed_failed_attempts: int | None = None
    lockout_duration: int | None = None
    upper_case_required: bool = False
    lower_case_required: bool = False
    special_character_required: bool = False
    numeric_required: bool = False
    minimum_character_count: int | None = None

    @property
    def attempts(self) -> int:
        return self.allowed_failed_attempts or DEFAULT_ATTEMPTS

    @property
    def lockout(self) -> timedelta | None:
        """For how long wrong passwords lock the account; None is until it is unlocked."""
        minutes = DEFAULT_LOCKOUT if self.lockout_duration is None else self.lockout_duration
        return timedelta(minutes=minutes) if minutes else None

    def expired(self, set_at: datetime, now: datetime) -> bool:
        """Whether a password set at ``set_at`` (UTC) is too old at ``now`` to log in with."""
        days = self.maximum_password_age
        return days is not None and days > 0 and now >= set_at + timedelta(days=days)

    def too_soon(self, set_at: datetime | None, now: datetime) -> bool:
        """Whether a password set at ``set_at`` (UTC) is too new at ``now`` for its user to change
        it."""
        minutes = self.minimum_password_age or 0
        return set_at is not None and now < set_at + timedelta(minutes=minutes)


DEFAULT_LENGTH = 8
DEFAULT_ATTEMPTS = 10
DEFAULT_LOCKOUT = 15


def strictest(rules: Iterable[PasswordRules]) -> PasswordRules:
    """What holds for a user whose profiles have these ``rules``."""
    all_ = list(rules)

    def given(name: str) -> list[int]:
        return [value for each in all_ if (value := getattr(each, name) or 0) > 0]

    def any_(name: str) -> bool:
        return any(getattr(each, name) for each in all_)

    return PasswordRules(
        limit_password_reuse=max(given("limit_password_reuse"), default=None),
        max_consecutive_dupe_chars=min(given("max_consecutive_dupe_chars"), default=None),
        maximum_password_age=min(given("maximum_password_age"), default=None),
        minimum_password_age=max(given("minimum_password_age"), default=None),
        allowed_failed_attempts=min(given("allowed_failed_attempts"), default=DEFAULT_ATTEMPTS),
        lockout_duration=_longest_lockout(each.lockout_duration for each in all_),
        upper_case_required=any_("upper_case_required"),
        lower_case_required=any_("lower_case_required"),
        special_character_required=any_("special_character_required"),
        numeric_required=any_("numeric_required"),
        minimum_character_count=max(given("minimum_character_count"), default=DEFAULT_LENGTH),
    )


def _longest_lockout(minutes: Iterable[int | None]) -> int:
    said = [each for each in minutes if each is not None]
    return 0 if 0 in said else max(said, default=DEFAULT_LOCKOUT)


def weaknesses(password: str, rules: PasswordRules) -> list[str]:
    """What ``password`` lacks, in words that complete "it needs ..."; nothing where it will do."""
    lacks = []
    if len(password) < max(rules.minimum_character_count or 0, 1):
        lacks.append(f"at least {max(rules.minimum_character_count or 0, 1)} characters")
    if len(password) > LONGEST:
        lacks.append(f"at most {LONGEST:,} characters")
    if rules.upper_case_required and not any(map(str.isupper, password)):
        lacks.append("an upper-case letter")
    if rules.lower_case_required and not any(map(str.islower, password)):
        lacks.append("a lower-case letter")
    if rules.numeric_required and not any(map(str.isdecimal, password)):
        lacks.append("a digit")
    if rules.special_character_required and not any(map(_is_special, password)):
        lacks.append("a special character")
    limit = rules.max_consecutive_dupe_chars
    if limit is not None and limit > 0 and _longest_run(password) > limit:
        lacks.append(f"no character more than {limit} times in a row")
    return lacks


def insecure(password: str, rules: PasswordRules) -> Error | None:
    """``PasswordReset.InsecurePassword`` with the rules as its data, or None where the password
    satisfies them."""
    lacks = weaknesses(password, rules)
    if not lacks:
        return None
    return error(
        "PasswordReset.InsecurePassword",
        f"This password is not secure enough; it needs {', '.join(lacks)}.",
        **rules.model_dump(mode="json"),
    )


def _is_special(character: str) -> bool:
    return not character.isalnum() and not character.isspace()


def _longest_run(password: str) -> int:
    longest = run = 0
    before = ""
    for character in password:
        run = run + 1 if character == before else 1
        longest = max(longest, run)
        before = character
    return longest
