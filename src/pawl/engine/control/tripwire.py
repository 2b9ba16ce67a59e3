"""The server's own look for secrets in what workers send (reliability 4.6), behind the masking.

A job masks what it writes before it writes it. What is found here got past that: it is withheld, and the run
is marked, because either Pawl or the worker is at fault.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace

from pawl.core.model.errors import InfrastructureError
from pawl.core.model.plan import Json
from pawl.core.model.records import AttemptRef
from pawl.core.model.reports import Piece, Report
from pawl.core.model.work import Result
from pawl.core.secrets.named import SWITCHES
from pawl.core.steps.masking import SecretSet, TooManySecrets
from pawl.core.steps.needles import MAX_NEEDLE
from pawl.engine.control.desk import Desk
from pawl.engine.control.moment import Moment
from pawl.ports.log_bytes import LogName
from pawl.ports.sealing import Sealing
from pawl.ports.store import Transaction

_WATCHED = 2000
_REACH = MAX_NEEDLE - 1
_LINE_END, _STAR = b"\n*"
ATTENTION = "a worker sent a secret in clear, which is withheld: look at the worker, and change the secret"
WITHHELD = "parts are withheld: they held a secret"

OnLeak = Callable[[AttemptRef], None]


class Tripwire:
    """Knows the secrets of attempts that run, in memory alone."""

    def __init__(self, desk: Desk, told: OnLeak = lambda _: None) -> None:
        """Look for secrets.

        Args:
            desk: the ports.
            told: called for each leak that was found.
        """
        self._desk = desk
        self.told = told
        self._watched: OrderedDict[AttemptRef, SecretSet | None] = OrderedDict()

    def watch(self, ref: AttemptRef, secrets: Mapping[str, str]) -> None:
        """Look for these from now on."""
        values = [value for name, value in secrets.items() if name not in SWITCHES]
        self._remember(ref, _needles(values))

    async def report(self, ref: AttemptRef, report: Report) -> Report:
        """Return a report without the secrets that it holds."""
        secrets = await self._secrets(ref)
        if secrets is None:
            return report
        events = tuple(_masked(event, secrets) for event in report.events)
        pieces = await self._pieces(ref, report.pieces, secrets)
        clean = replace(report, events=events, pieces=pieces)
        if clean != report:
            pairs = zip(pieces, report.pieces, strict=True)
            await self._found(ref, {new.index for new, old in pairs if new is not old})
        return clean

    async def result(self, ref: AttemptRef, result: Result) -> Result:
        """Return a result without the secrets that it holds; outputs that do are left out."""
        secrets = await self._secrets(ref)
        if secrets is None:
            return result
        mask = secrets.mask_text
        outputs = {
            name: value
            for name, value in result.outputs.items()
            if not (secrets.contains_secret(name) or secrets.contains_secret(value))
        }
        clean = replace(
            result,
            outputs=outputs,
            untrusted=result.untrusted.intersection(outputs),
            reason=mask(result.reason),
            summary=mask(result.summary),
            logs=tuple(replace(end, name=mask(end.name), note=mask(end.note)) for end in result.logs),
        )
        if clean != result:
            await self._found(ref, ())
        return clean

    async def texts(self, ref: AttemptRef, texts: Iterable[str]) -> bool:
        """Return whether any of these holds a secret."""
        secrets = await self._secrets(ref)
        found = secrets is not None and any(map(secrets.contains_secret, texts))
        if found:
            await self._found(ref, ())
        return found

    async def is_withheld(self, ref: AttemptRef, index: int) -> bool:
        """Return whether parts of a log were withheld: it is then not what its worker has."""
        return bool(await self._desk.read(lambda tx: tx.keys.get(_key(ref, index))))

    async def _pieces(
        self, ref: AttemptRef, pieces: Sequence[Piece], secrets: SecretSet
    ) -> tuple[Piece, ...]:
        clean: list[Piece] = []
        ends: dict[int, tuple[int, bytes]] = {}
        for piece in pieces:
            if piece.part != "data":
                clean.append(piece)
                continue
            # A secret may lie across two pieces.
            at, before = ends.get(piece.index, (0, b""))
            if at != piece.offset:
                start = max(0, piece.offset - _REACH)
                name = LogName(attempt=ref, index=piece.index)
                before = await self._desk.logs.read(name, "data", start=start, size=piece.offset - start)
            data = bytes(piece.data)
            ends[piece.index] = (piece.offset + len(data), (before + data)[-_REACH:])
            hidden = _hidden(before, data, secrets)
            clean.append(piece if hidden == data else replace(piece, data=hidden))
        return tuple(clean)

    async def _secrets(self, ref: AttemptRef) -> SecretSet | None:
        if ref not in self._watched:
            await self._recall(ref)
        return self._watched.get(ref)

    async def _recall(self, ref: AttemptRef) -> None:
        """Get the secrets of an attempt that was begun by another server, or by this one's last process."""
        sealing = self._desk.keeping.sealing

        def look(tx: Transaction) -> list[str]:
            return [] if sealing is None else _values(tx, ref, sealing)

        self._remember(ref, _needles(await self._desk.read(look)))

    def _remember(self, ref: AttemptRef, secrets: SecretSet | None) -> None:
        self._watched[ref] = secrets
        self._watched.move_to_end(ref)
        if len(self._watched) > _WATCHED:
            self._watched.popitem(last=False)

    async def _found(self, ref: AttemptRef, indexes: Iterable[int]) -> None:
        self.told(ref)

        def work(tx: Transaction, moment: Moment) -> None:
            for index in indexes:
                tx.keys.put(_key(ref, index), value=True, time=moment.now)
            locked = tx.runs.lock(ref.run)
            if locked is not None and not locked[0].needs_attention:
                tx.runs.save(replace(locked[0], needs_attention=ATTENTION), locked[1])

        await self._desk.write(work)


def _values(tx: Transaction, ref: AttemptRef, sealing: Sealing) -> list[str]:
    found = []
    for use in tx.secret_uses.of_run(ref.run):
        secret = tx.secrets.get(use.scope, use.name) if use.attempt == ref else None
        if secret is not None and secret.version == use.version and use.name not in SWITCHES:
            try:
                found.append(sealing.open(secret.sealed, secret.sealed_as))
            except InfrastructureError:
                continue
    return found


def _needles(values: Iterable[str]) -> SecretSet | None:
    try:
        made = SecretSet(value for value in values if value)
    except TooManySecrets:
        return None  # its worker refuses to run it
    return made if made.needles.all else None


def _hidden(before: bytes, data: bytes, secrets: SecretSet) -> bytes:
    """Return `data`, which follows `before`, as long as it was, with a star for each byte of a secret."""
    hidden = bytearray(data)
    for first, end in secrets.needles.spans(before + data):
        for at in range(max(0, first - len(before)), max(0, end - len(before))):
            if hidden[at] != _LINE_END:  # the index of lines is to stay right
                hidden[at] = _STAR
    return bytes(hidden)


def _masked(event: Json, secrets: SecretSet) -> Json:
    match event:
        case str():
            return secrets.mask_text(event)
        case list():
            return [_masked(each, secrets) for each in event]
        case dict():
            return {name: _masked(each, secrets) for name, each in event.items()}
        case _:
            return event


def _key(ref: AttemptRef, index: int) -> str:
    return f"withheld:{ref.run}:{ref.job}:{ref.attempt}:{index}"
