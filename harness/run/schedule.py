"""Which worker runs which case of a collection: the cases of one group go to one worker, in their order.

A scheduler of our own because pytest-xdist's ``loadgroup`` writes the group into the id of a node, which it then is not
called by.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, final

import pytest
from xdist.scheduler import LoadScopeScheduling

__all__ = ["GroupScheduling"]


@final
class GroupScheduling(LoadScopeScheduling):  # type: ignore[misc]
    """Deals out whole groups. ``group_of`` gives the group of a node id, ``None`` where it may run anywhere."""

    def __init__(self, config: pytest.Config, log: Any, group_of: Callable[[str], str | None]) -> None:
        super().__init__(config, log)
        self._group_of = group_of

    def _split_scope(self, nodeid: str) -> str:
        return self._group_of(nodeid) or nodeid
