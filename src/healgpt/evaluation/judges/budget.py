"""How many calls and tokens a judge may spend; the run ends cleanly before it would spend more."""

import threading
from dataclasses import dataclass

from healgpt.errors import ConfigError
from healgpt.schema import Usage


class BudgetSpent(Exception):
    """The next call would exceed the budget. Ends a run, is never recorded as an item's failure."""


@dataclass(frozen=True, slots=True)
class Spent:
    """What the calls so far cost; remembered verdicts cost nothing."""

    calls: int = 0
    remembered: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0

    @property
    def tokens(self) -> int:
        """Prompt and answer tokens together, cached prompt tokens included."""
        return self.prompt_tokens + self.completion_tokens


class Budget:
    """Counts calls and tokens against limits; None means no limit. Thread-safe."""

    def __init__(self, *, calls: int | None = None, tokens: int | None = None) -> None:
        """Raises `ConfigError` for a limit that is not positive."""
        for name, limit in (("--budget", calls), ("--budget-tokens", tokens)):
            if limit is not None and limit < 1:
                raise ConfigError(f"{name} 应是正整数，现在是 {limit}。")
        self._calls, self._tokens = calls, tokens
        self._reserved = 0
        self._lock = threading.Lock()
        self.spent = Spent()

    def reserve(self, tokens: int) -> None:
        """Take room for one call of at most `tokens`. Raises `BudgetSpent` where there is none."""
        with self._lock:
            spent = self.spent
            if self._calls is not None and spent.calls >= self._calls:
                raise BudgetSpent
            if self._tokens is not None and spent.tokens + self._reserved + tokens > self._tokens:
                raise BudgetSpent
            self._reserved += tokens
            self.spent = Spent(spent.calls + 1, spent.remembered, spent.prompt_tokens, spent.completion_tokens)

    def settle(self, reserved: int, usage: Usage) -> None:
        """Replace what was reserved by what the call cost; a failed call costs its call alone."""
        with self._lock:
            self._reserved -= reserved
            spent = self.spent
            self.spent = Spent(
                spent.calls,
                spent.remembered,
                spent.prompt_tokens + usage.prompt_tokens,
                spent.completion_tokens + usage.completion_tokens,
            )

    def remember(self) -> None:
        """Count one verdict that needed no call."""
        with self._lock:
            spent = self.spent
            self.spent = Spent(spent.calls, spent.remembered + 1, spent.prompt_tokens, spent.completion_tokens)
