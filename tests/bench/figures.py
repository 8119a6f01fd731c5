"""What a bench measured, and the table that shows it."""

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Figure:
    """One measured number beside what it is measured against."""

    what: str
    measured: float
    unit: str
    limit: float
    beside: str = ""
    """The same work done the usual way, or the bound, in the same run: in words, with its number."""

    @property
    def kept(self) -> bool:
        """Whether the number is within what was promised."""
        return self.measured <= self.limit

    def row(self) -> tuple[str, str, str, str, str]:
        """The cells of its line in the table."""
        return (
            self.what,
            f"{_number(self.measured)} {self.unit}".strip(),
            f"≤ {_number(self.limit)} {self.unit}".strip(),
            "yes" if self.kept else "NO",
            self.beside,
        )


def table(figures: Iterable[Figure]) -> str:
    """The figures as a Markdown table whose columns line up in a terminal too."""
    rows = [("what", "measured", "promised", "kept", "beside it, in the same run")]
    rows += [figure.row() for figure in figures]
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = [
        "| " + " | ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) + " |"
        for row in rows
    ]
    lines.insert(1, "|" + "|".join("-" * (width + 2) for width in widths) + "|")
    return "\n".join(lines)


def _number(value: float) -> str:
    return f"{value:.0f}" if value >= 100 or value == int(value) else f"{value:.2f}"
