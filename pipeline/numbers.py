"""Session numbers, kept beside the journal: a number means one session for as long as the data folder lives."""

import json
import os
from ipaddress import ip_address
from pathlib import Path

from anycast.observation import PeerType, Session
from collector.bmp.ids import Numbered


class SavedNumbers(Numbered):
    """Numbers that are on disk before any row that uses them."""

    def __init__(self, path: Path) -> None:
        """Raises ValueError when the file is not ours."""
        super().__init__(_load(path))
        self._path, self._saved = path, self.taken

    def save(self) -> None:
        """Write what was given out since the last time; cheap when nothing was."""
        taken = self.taken
        if taken == self._saved:
            return
        rows = [
            [
                number,
                session.router,
                None if session.peer is None else str(session.peer),
                int(session.peer_type),
                session.distinguisher,
            ]
            for session, number in self.saved().items()
        ]
        draft = self._path.with_suffix(".new")
        with draft.open("w") as file:
            json.dump(rows, file)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(self._path)
        self._saved = taken


def _load(path: Path) -> dict[Session, int]:
    if not path.exists():
        return {}
    try:
        return {
            Session(router, None if peer is None else ip_address(peer), PeerType(kind), distinguisher): number
            for number, router, peer, kind, distinguisher in json.loads(path.read_text())
        }
    except (ValueError, TypeError) as error:
        raise ValueError(
            f"{path} does not hold session numbers; put it back from a backup of the data folder"
        ) from error
