"""One buffer for all records of a batch, and where each of them ends."""

from wit_world.exports import formatter as contract


class RecordBuffer:
    def __init__(self) -> None:
        self._data = bytearray()
        self._ends: list[int] = []
        self._rejected: list[contract.Rejection] = []

    def add(self, record: str | bytes) -> None:
        """Adds the next event's record."""
        if not isinstance(record, (str, bytes)):
            raise TypeError(f"format has to return str or bytes, not {type(record).__name__}")
        if not record:
            raise ValueError("format returned an empty record; raise Rejected with a reason instead")
        self._data += record.encode() if isinstance(record, str) else record
        self._ends.append(len(self._data))

    def reject(self, index: int, reason: str) -> None:
        """Leaves the next event, which is the one at `index`, without a record."""
        self._ends.append(len(self._data))
        self._rejected.append(contract.Rejection(index, reason))

    def finish(self) -> contract.Records:
        return contract.Records(bytes(self._data), self._ends, self._rejected)
