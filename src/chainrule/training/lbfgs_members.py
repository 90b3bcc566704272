"""L-BFGS for several members: each searches by itself, and they meet at every evaluation and every iteration.

SciPy calls back, so every search has a Python thread. The threads only decide where to look next: what they ask for is
computed for all of them in one call of the engine, so that no result depends on how many threads there are.
"""

from __future__ import annotations

import contextvars
from dataclasses import dataclass
from queue import SimpleQueue
from threading import Thread
from typing import Any

from chainrule.training.lbfgs_search import Answer, Search, evaluate, finish_iteration
from chainrule.training.run import Run

_STOP = object()  # the answer that ends a search


@dataclass(frozen=True)
class _Message:
    """A search wants an evaluation, did an iteration, or is over, with SciPy's result or an error."""

    search: Search
    kind: str
    content: Any = None


class _Meeting:
    """Where searches leave messages and wait for answers."""

    def __init__(self, run: Run, iterations: int):
        self.messages: SimpleQueue[_Message] = SimpleQueue()
        self.searches = [Search(run, member, self._ask) for member in range(len(run.state.parameters))]
        self._answers: list[SimpleQueue[Any]] = [SimpleQueue() for _ in self.searches]
        self._threads = [
            # floating-point settings are those of the caller
            Thread(
                name=f"L-BFGS of member {search.member}",
                target=contextvars.copy_context().run,
                args=(self._search, search, iterations),
                daemon=True,
            )
            for search in self.searches
        ]
        for thread in self._threads:
            thread.start()

    def answer(self, search: Search, answer: Any) -> None:
        """Let a search go on."""
        self._answers[search.member].put(answer)

    def close(self) -> None:
        """End every search at its next question, and wait until all are over."""
        for search in self.searches:
            self.answer(search, _STOP)
        for thread in self._threads:
            thread.join()

    def _search(self, search: Search, iterations: int) -> None:
        try:
            result = search.minimize(lambda one: self._wait(one, "iteration"), iterations)
        except StopIteration:
            result = None
        except BaseException as error:  # raised again by whoever reads the messages
            result = error
        self.messages.put(_Message(search, "over", result))

    def _ask(self, search: Search) -> Answer:
        answer: Answer = self._wait(search, "evaluation")
        return answer

    def _wait(self, search: Search, kind: str) -> Any:
        self.messages.put(_Message(search, kind))
        answer = self._answers[search.member].get()
        if answer is _STOP:
            raise StopIteration
        return answer


def search_together(run: Run, iterations: int) -> tuple[str | None, list[Any]]:
    """Why the searches were stopped, if they were, and SciPy's results, in the members' order."""
    meeting = _Meeting(run, iterations)
    asking: list[Search] = []
    iterated: list[Search] = []
    results: dict[int, Any] = {}
    try:
        while len(results) < len(meeting.searches):
            message = meeting.messages.get()
            if isinstance(message.content, BaseException):
                raise message.content
            if message.kind == "over":
                results[message.search.member] = message.content
            else:
                (asking if message.kind == "evaluation" else iterated).append(message.search)
            if len(asking) + len(iterated) + len(results) < len(meeting.searches):
                continue  # somebody is still thinking
            if asking:
                asking.sort(key=lambda search: search.member)
                answers = evaluate(run, asking)
                for search, answer in zip(asking, answers, strict=True):
                    meeting.answer(search, answer)
                asking = []
            elif iterated:  # everybody who still searches: an epoch is over
                reason = finish_iteration(run, meeting.searches, iterated)
                if reason is not None:
                    return reason, []
                for search in iterated:
                    meeting.answer(search, None)
                iterated = []
    except StopIteration:
        return run.stop_reason(), []
    finally:
        meeting.close()
    if None in results.values():
        return run.stop_reason(), []
    return None, [results[member] for member in sorted(results)]
