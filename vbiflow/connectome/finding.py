"""What is to be known about a connectome: a check's name, its severity and one sentence."""

from __future__ import annotations

from dataclasses import asdict, dataclass


@dataclass(frozen=True)
class Finding:
    """One thing to know about a connectome: the check's name, its severity and one sentence."""

    name: str
    severity: str
    text: str

    def plain(self) -> dict[str, str]:
        """As plain data, for JSON."""
        return asdict(self)
