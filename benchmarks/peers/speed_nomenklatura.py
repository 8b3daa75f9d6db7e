"""How fast nomenklatura decides, takes a decision back and dissolves; its ledger keeps what was decided, not values."""

import sys
import tempfile
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from nomenklatura.db import close_db, make_session
from nomenklatura.judgement import Judgement
from nomenklatura.resolver import Edge, Identifier, Resolver
from speed import pairs, serve, some, timed


def main() -> None:
    """Load clusters of two records each, then decide, undo and dissolve as asked, each committed."""
    size, seed = int(sys.argv[1]), int(sys.argv[2])
    with tempfile.TemporaryDirectory(prefix="peer-") as folder:
        session = make_session(f"sqlite:///{Path(folder) / 'nomenklatura.db'}")
        resolver: Resolver = Resolver(session, create=True)
        minted = [Identifier.make() for _ in range(size)]
        at = datetime.now(UTC).replace(tzinfo=None).isoformat()[:28]
        resolver.load_edges(
            Edge(f"{source}-{number}", minted[number], judgement=Judgement.POSITIVE, user="bench", created_at=at)
            for number in range(size)
            for source in ("crm", "erp")
        )
        session.checkpoint()
        assert resolver.get_canonical("crm-0") == minted[0].id, "a firm has the id that was minted for it"
        left, merged = pairs(range(size), seed), []

        def decide(pair: tuple[int, int], judgement: Judgement) -> None:
            resolver.decide(minted[pair[0]], minted[pair[1]], judgement, user="bench")
            session.checkpoint()

        def dissolve(pair: tuple[int, int]) -> None:
            resolver.explode(minted[pair[0]])
            session.checkpoint()

        def act(kind: str, count: int) -> Sequence[float]:
            if kind == "merge":
                chosen = some(left, count)
                merged.extend(chosen)
                return timed(lambda pair=pair: decide(pair, Judgement.POSITIVE) for pair in chosen)
            chosen = [merged.pop() for _ in range(count)]
            if kind == "undo":
                return timed(lambda pair=pair: decide(pair, Judgement.NEGATIVE) for pair in chosen)
            return timed(lambda pair=pair: dissolve(pair) for pair in chosen)

        serve(act)
        session.close()
        close_db()


if __name__ == "__main__":
    main()
