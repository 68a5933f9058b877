"""Run one function over many items with threads: ordered results, failures collected with their reasons."""

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice
from typing import Generic, TypeVar

from healgpt.errors import HealGPTError

Item = TypeVar("Item")
Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class Outcome(Generic[Item, Result]):
    """What became of one item: exactly one of `result` and `error` is meaningful; `error` is None on success."""

    item: Item
    result: Result | None
    error: HealGPTError | None


def map_ordered(
    function: Callable[[Item], Result], items: Iterable[Item], *, workers: int
) -> Iterator[Outcome[Item, Result]]:
    """Yield the outcome of `function(item)` for every item, in the order of `items`.

    At most `2 * workers` items are in flight, so an endless `items` is fine. A `HealGPTError` is collected;
    any other exception is a bug and ends the run.
    """
    source = iter(items)
    with ThreadPoolExecutor(max_workers=workers) as pool:
        waiting: list[tuple[Item, Future[Result]]] = []
        try:
            for item in islice(source, 2 * workers):
                waiting.append((item, pool.submit(function, item)))
            while waiting:
                item, future = waiting.pop(0)
                yield _settled(item, future)
                for following in islice(source, 1):
                    waiting.append((following, pool.submit(function, following)))
        finally:
            for _, future in waiting:
                future.cancel()


def _settled(item: Item, future: Future[Result]) -> Outcome[Item, Result]:
    try:
        return Outcome(item, future.result(), None)
    except HealGPTError as error:
        return Outcome(item, None, error)
