"""Which released component is a service of? The one rule about names that several rooms need."""

from __future__ import annotations

__all__ = ["component_behind"]


def component_behind(service: str) -> str:
    """Returns the released component that serves ``service``: an admin API belongs to its service."""
    return service.removesuffix("-admin")
