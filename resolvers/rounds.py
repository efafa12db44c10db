"""When the fetches of an operation are sent: everything in memory goes first, then all that is pending, in one round.

Steps run to where they need something that is not in memory. Only when none can go on, and all that was sent before has
been answered, the next round is sent: what several parts of the operation need is then asked for once, and lookups of
one resource go together, whichever depth, alias or root field they stand in. No timer decides, so that an operation
makes the same calls every time.
"""

from __future__ import annotations

import asyncio
import weakref
from collections.abc import Awaitable, Callable, Coroutine, Hashable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, Generic, Protocol, TypeVar

from sources.errors import FaultCode
from sources.records import Answer
from sources.shape import Shape
from sources.standard.values import looks_up

from .contracts import Fetch, List, Lookup, Page, Step
from .trace import Field, fetching_for, fields

T = TypeVar("T")

PATIENCE = 12
"""Turns of the event loop in which nothing happens, after which coroutines that nobody counts (graphql-core's own
executor) have gone as far as they can: it goes down one level of a selection in a turn."""

Taken = Callable[[Answer | None, BaseException | None], None]
"""Takes in the answer to a fetch, or why there is none."""


class Asked(Protocol):
    """How an operation asks: ``send`` makes a call; ``alone`` says whether a fetch is no call of a source.
    ``also``: a call that was made is for further fields of the query.
    """

    def send(self, fetch: Fetch) -> Coroutine[Any, Any, Answer]: ...

    def alone(self, fetch: Fetch) -> Coroutine[Any, Any, Answer] | None: ...

    def also(self, fetch: Fetch, fields: frozenset[Field]) -> None: ...


@dataclass(slots=True, eq=False)
class Job(Generic[T]):
    """A step on its way, and who is told how it ended."""

    step: Step[T]
    then: Callable[[T | None, BaseException | None], None]
    answers: list[Answer] = field(default_factory=list)
    missing: int = 0
    started: bool = False
    over: bool = False
    needs: list[_Part] = field(default_factory=list)
    fields: frozenset[Field] = frozenset()
    """The fields of the query that it is for, where somebody wants to see it."""


@dataclass(slots=True, eq=False)
class _Call:
    """One call of a round, or one that was made: its answer stays for whoever asks the same later.

    ``joined``: of a lookup for which more was asked than its own fetch says, all that it is sent with. ``shape``: what
    all who ask will read.
    """

    fetch: Fetch
    shape: Shape | None
    fields: frozenset[Field] = frozenset()
    key: Hashable = None
    values: tuple[str, ...] = ()
    joined: Lookup | None = None
    parts: list[_Part] = field(default_factory=list)
    answer: Answer | None = None
    task: asyncio.Task[Answer] | None = None

    def join(self, values: Sequence[str], ahead: Sequence[str], expand: Sequence[str]) -> None:
        op = self.fetch.op if self.joined is None else self.joined
        assert isinstance(op, Lookup)
        self.values = (*self.values, *values)
        further, embedded = dict.fromkeys((*op.ahead, *ahead)), dict.fromkeys((*op.expand, *expand))
        self.joined = Lookup(op.key, self.values, tuple(embedded), tuple(further))

    def to_send(self) -> Fetch:
        joined = self.joined
        if joined is None:
            return self.fetch if self.shape is self.fetch.shape else replace(self.fetch, shape=self.shape)
        asked = set(self.values)
        op = replace(joined, ahead=tuple(id for id in joined.ahead if id not in asked))
        return replace(self.fetch, op=op, shape=self.shape)

    @property
    def expand(self) -> Sequence[str]:
        op = self.fetch.op if self.joined is None else self.joined
        return op.expand if isinstance(op, Lookup) else ()


@dataclass(slots=True, eq=False)
class _Part:
    """A fetch as it was asked for, and the calls that answer it."""

    take: Taken
    calls: tuple[_Call, ...] = ()
    missing: int = 0
    own: asyncio.Task[Answer] | None = None
    """What runs for this fetch alone."""


class Rounds:
    """One for an operation. ``deadline`` is a time of the running loop: then nothing waits for a round any more.

    ``keep``: whether answers stay for who asks the same in a later round.
    """

    def __init__(self, asked: Asked, deadline: float, *, keep: bool = True) -> None:
        self.patience = PATIENCE
        """Turns to wait for coroutines that nobody counts; 0 where all of the operation's tell when they wait."""
        self.sent = 0
        """How many rounds were sent."""
        self._asked = weakref.ref(asked)  # which has the rounds: nobody shall have to look for cycles
        self._deadline = deadline
        self._keep = keep
        self._running = 0
        self._foreign = 0
        self._quiet = 0
        self._turning = False
        self._batches: list[Callable[[], None]] = []
        self._pending: list[_Call] = []
        self._flying: dict[_Call, None] = {}
        self._late: set[str] = set()
        self._alarm: asyncio.TimerHandle | None = None
        self._overdue = False
        self._calls: dict[Hashable, _Call] = {}
        self._by_id: dict[tuple[str, str, str], dict[str, _Call]] = {}
        self._open: dict[tuple[str, str, str], _Call] = {}

    # Steps

    def begin(self, step: Step[T], then: Callable[[T | None, BaseException | None], None]) -> Job[T]:
        """Run a step as far as memory goes; ``then`` is told its value, or what it raised."""
        job = Job(step, then, fields=fields())
        self._advance(job)
        return job

    def abandon(self, job: Job[Any]) -> None:
        """Nobody waits for a step any more: calls that only it needs are ended."""
        job.over = True
        job.step.close()
        needs, job.needs = job.needs, []
        for part in needs:
            self._drop(part)

    def _advance(self, job: Job[Any]) -> None:
        while not job.missing and not job.over:
            try:
                fetches = job.step.send(job.answers) if job.started else next(job.step)
            except StopIteration as stop:
                job.over, job.needs = True, []
                job.then(stop.value, None)
                return
            except Exception as failure:  # noqa: BLE001  # it belongs to whoever waits for the step
                job.over, job.needs = True, []
                job.then(None, failure)
                return
            job.started = True
            self._need(job, fetches)

    def _need(self, job: Job[Any], fetches: Sequence[Fetch]) -> None:
        job.answers = [_NOTHING] * len(fetches)
        job.missing = len(fetches) + 1  # one more, until all are asked for
        job.needs = []
        asked = self._asked()
        assert asked is not None
        for number, fetch in enumerate(fetches):

            def take(answer: Answer | None, failure: BaseException | None, number: int = number) -> None:
                if job.over:
                    return
                if answer is None:
                    self.abandon(job)
                    job.then(None, failure)
                    return
                job.answers[number] = answer
                job.missing -= 1
                self._advance(job)

            own = asked.alone(fetch)
            job.needs.append(self._ask(fetch, take, job.fields) if own is None else self._alone(own, take, job.fields))
        job.missing -= 1

    def _alone(self, own: Coroutine[Any, Any, Answer], take: Taken, wanted: frozenset[Field]) -> _Part:
        """Work that is not a call of a source, though it may ask for some (``answer``)."""
        self._running += 1
        with fetching_for(wanted):
            task = asyncio.ensure_future(own)
        part = _Part(take, own=task)

        def done(_: asyncio.Task[Answer]) -> None:
            if not task.cancelled():
                failure = task.exception()
                take(None if failure is not None else task.result(), failure)
            self._release()

        task.add_done_callback(done)
        return part

    async def answer(self, fetch: Fetch) -> Answer:
        """The answer to a fetch, for a coroutine that is counted."""
        future: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        part = self._ask(fetch, lambda answer, failure: self.wake(future, answer, failure), fields())
        try:
            return await self.parked(future)
        except asyncio.CancelledError:
            self._drop(part)
            raise

    # Coroutines that wait

    def wake(self, future: asyncio.Future[Any], value: object, failure: BaseException | None) -> None:
        """Let a parked coroutine go on; from now on it counts as running."""
        if future.done():
            return
        self._running += 1
        if failure is not None:
            future.set_exception(failure)
        else:
            future.set_result(value)

    async def parked(self, future: asyncio.Future[T]) -> T:
        """Wait for a future that ``wake`` sets, for a coroutine that counts as running."""
        self._release()
        try:
            return await future
        finally:
            if future.cancelled() or not future.done():
                self._running += 1

    async def result(self, step: Step[T]) -> T:
        """The value of a step, for a coroutine that is not counted."""
        outcome: list[T] = []
        failed: list[BaseException] = []
        future: asyncio.Future[None] | None = None

        def then(value: T | None, failure: BaseException | None) -> None:
            if failure is not None:
                failed.append(failure)
            else:
                outcome.append(value)  # type: ignore[arg-type]
            if future is not None:
                self.wake(future, None, None)

        job = self.begin(step, then)
        if not job.over:
            future = asyncio.get_running_loop().create_future()
            self._running += 1
            try:
                await self.parked(future)
            except asyncio.CancelledError:
                self.abandon(job)
                raise
            finally:
                self._release()  # whoever goes on in this turn counts before the next round is thought of
        if failed:
            raise failed[0]
        return outcome[0]

    async def counted(self, work: Coroutine[Any, Any, T]) -> T:
        """Run something that waits by ``parked``, ``together`` and ``uncounted`` alone."""
        self._running += 1
        try:
            return await work
        finally:
            self._release()

    async def together(self, works: Iterable[Coroutine[Any, Any, None]]) -> None:
        """Several such at once, for a coroutine that counts. Raises the first failure, when all have ended."""
        several = list(works)
        if len(several) < 2:
            for work in several:
                await work
            return
        left = len(several)

        def ended(_: asyncio.Task[None]) -> None:
            nonlocal left
            left -= 1
            if left:  # the last one leaves its place to who waits for all
                self._release()

        self._running += left - 1
        tasks = [asyncio.ensure_future(work) for work in several]
        for task in tasks:
            task.add_done_callback(ended)
        for outcome in await asyncio.gather(*tasks, return_exceptions=True):
            if outcome is not None:
                raise outcome

    async def uncounted(self, waiting: Awaitable[T]) -> T:
        """Wait, in a coroutine that counts as running, for others that do not tell when they wait."""
        self._foreign += 1
        self._release()
        try:
            return await waiting
        finally:
            self._foreign -= 1
            self._running += 1

    def batch(self, start: Callable[[], None]) -> None:
        """Call ``start`` when nothing else can go on in memory: what is asked until then joins."""
        self._batches.append(start)
        self.stir()

    def patiently(self) -> None:
        """Coroutines that nobody counts take part: let them go as far as they can."""
        if not self._foreign:
            self.patience = PATIENCE
        self.stir()

    def stir(self) -> None:
        """Something happened: look, in the next turn of the event loop, whether a round can be sent."""
        self._quiet = 0
        if not self._turning and (self._pending or self._batches):
            self._turning = True
            asyncio.get_running_loop().call_soon(self._turn)

    def _release(self) -> None:
        self._running -= 1
        self.stir()

    # Rounds

    def _turn(self) -> None:
        self._turning = False
        if not self._batches and not self._pending:
            return
        if not self._overdue and (self._running or not all(call.fetch.source in self._late for call in self._flying)):
            self._watch()  # who runs, or the next answer, looks again
            return
        if self._quiet < (PATIENCE if self._foreign else self.patience) and not self._overdue:
            self._quiet += 1
            self._turning = True
            asyncio.get_running_loop().call_soon(self._turn)
            return
        if self._batches:
            batches, self._batches = self._batches, []
            for start in batches:
                start()
            self.stir()
            return
        asked = self._asked()
        calls, self._pending = self._pending, []
        self._unwatch()
        self._open.clear()
        self.sent += 1
        for call in calls:
            if call.parts and asked is not None:
                self._send(call, asked.send(call.to_send()))

    def _watch(self) -> None:
        """At the deadline nothing is held back any more: sources say at once that it is too late."""
        if self._alarm is None:

            def overdue() -> None:
                self._overdue = True
                self.stir()

            self._alarm = asyncio.get_running_loop().call_at(self._deadline, overdue)

    def _unwatch(self) -> None:
        if self._alarm is not None and not self._pending and not self._batches:
            self._alarm.cancel()
            self._alarm = None

    def _send(self, call: _Call, work: Coroutine[Any, Any, Answer]) -> None:
        self._flying[call] = None
        with fetching_for(call.fields):
            call.task = asyncio.ensure_future(work)
        call.task.add_done_callback(partial(self._answered, call))

    def _answered(self, call: _Call, task: asyncio.Task[Answer]) -> None:
        self._flying.pop(call, None)
        if task.cancelled():
            self._forget(call)
            self.stir()
            return
        failure = task.exception()
        op = call.fetch.op
        if not self._keep or call.fetch.alone or (isinstance(op, Lookup) and op.key == "ids" and not call.expand):
            self._forget(call)  # its rows are in hand
        if failure is None:
            call.answer = task.result()
            if any(fault.code is FaultCode.SOURCE_TIMEOUT for fault in call.answer.faults):
                self._late.add(call.fetch.source)  # once was enough: nobody waits for it again
        parts, call.parts = call.parts, []
        for part in parts:
            if failure is not None:
                part.take(None, failure)
                continue
            part.missing -= 1
            if not part.missing:
                part.take(_together(part.calls), None)
        self.stir()

    # What is asked for

    def _ask(self, fetch: Fetch, take: Taken, wanted: frozenset[Field]) -> _Part:
        calls = self._calls_for(fetch)
        part = _Part(take, calls)
        for call in calls:
            if call.task is None:
                call.fields |= wanted
                if call.shape is not fetch.shape:
                    call.shape = None if call.shape is None or fetch.shape is None else call.shape | fetch.shape
            elif not wanted <= call.fields:
                self._also(call, wanted)
            if call.answer is None:
                part.missing += 1
                call.parts.append(part)
        if not part.missing:
            take(_together(calls), None)
        return part

    def _also(self, call: _Call, wanted: frozenset[Field]) -> None:
        """A call that was sent is for other fields, too."""
        asked = self._asked()
        call.fields |= wanted
        if asked is not None:
            asked.also(call.fetch, wanted)

    def _calls_for(self, fetch: Fetch) -> tuple[_Call, ...]:
        op = fetch.op
        if isinstance(op, Lookup) and not op.expand and (op.key == "ids" or looks_up(fetch.resource, op.key)):
            return self._lookups(fetch, op)
        key: Hashable = None
        if isinstance(op, Lookup):
            key = (fetch.source, fetch.resource, op.key, op.values)
            known = self._calls.get(key)
            if known is not None and set(op.expand) <= set(known.expand):
                return (known,)
            if known is not None and known in self._pending:
                known.join((), op.ahead, op.expand)
                return (known,)
        elif isinstance(op, List | Page):
            key = (fetch.source, fetch.resource, op)
            known = self._calls.get(key)
            if known is not None:
                return (known,)
        call = self._new(fetch)
        if key is not None:
            call.key = key
            call.values = op.values if isinstance(op, Lookup) else ()
            self._calls[key] = call
        return (call,)

    def _new(self, fetch: Fetch) -> _Call:
        call = _Call(fetch, fetch.shape)
        self._pending.append(call)
        self.stir()
        return call

    def _lookups(self, fetch: Fetch, op: Lookup) -> tuple[_Call, ...]:
        """Lookups by the same key go together; what was asked for is not asked for again."""
        place = (fetch.source, fetch.resource, op.key)
        asked = self._by_id.setdefault(place, {})
        fresh = tuple(id for id in op.values if id not in asked) if asked else op.values
        if fresh:
            call = self._open.get(place)
            if call is not None:
                call.join(fresh, op.ahead, ())
            else:
                call = self._open[place] = self._new(fetch)
                call.values = fresh
                if len(fresh) < len(op.values):
                    call.joined = replace(op, values=fresh)
            asked.update(dict.fromkeys(fresh, call))
            if len(fresh) == len(op.values):
                return (call,)
        return tuple(dict.fromkeys(asked[id] for id in op.values))

    def _drop(self, part: _Part) -> None:
        if part.own is not None:
            part.own.cancel()
        for call in part.calls:
            if part in call.parts:
                call.parts.remove(part)
            if not call.parts and call.answer is None:
                self._forget(call)
                if call.task is not None:
                    call.task.cancel()

    def _forget(self, call: _Call) -> None:
        """A call that is not answered: who asks for the same later asks anew."""
        op = call.fetch.op
        place = (call.fetch.source, call.fetch.resource, op.key if isinstance(op, Lookup) else "")
        asked = self._by_id.get(place, {})
        for id in call.values:
            if asked.get(id) is call:
                del asked[id]
        if self._open.get(place) is call:
            del self._open[place]
        if self._calls.get(call.key) is call:
            del self._calls[call.key]
        if call in self._pending:
            self._pending.remove(call)
            self._unwatch()


_NOTHING = Answer()


def _together(calls: Sequence[_Call]) -> Answer:
    """What several calls answered, as one."""
    answers = [call.answer for call in calls if call.answer is not None]
    if len(answers) == 1:
        return answers[0]
    faults = dict.fromkeys(fault for answer in answers for fault in answer.faults)
    return Answer(tuple(slab for answer in answers for slab in answer.slabs), tuple(faults))
