"""The figures of a day, for people."""

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from service.demo.tally import Summary


def report(summary: Summary) -> Group:
    """Everything that a day came to; what went wrong comes last, where it is seen."""
    tables = [_waste(summary), _figures(summary), _books(summary), _calls(summary)]
    if summary.failures:
        tables.append(_failures(summary))
    apart: list[RenderableType] = [part for table in tables for part in (table, Text())]
    verdict = Text(_verdict(summary), style="bold green" if summary.is_clean else "bold red")
    return Group(*apart, verdict)


def _waste(summary: Summary) -> Table:
    table = _table("material", "", "kg")
    for code, name, kilograms in summary.kilograms:
        table.add_row(code, name, _decimal(kilograms))
    return table


def _figures(summary: Summary) -> Table:
    table = Table.grid(padding=(0, 2))
    table.add_column(min_width=24)
    table.add_column(justify="right")
    per_km = summary.total_kg / summary.driven_km if summary.driven_km else 0.0
    rows = {
        "pickups collected": _whole(summary.pickups),
        "drop-offs": _whole(summary.dropoffs),
        "kg taken": _decimal(summary.total_kg),
        "kg refused": _decimal(summary.rejected_kg),
        "credited to residents": f"Rp{_whole(summary.credited_idr)}",
        "fees of collectors": f"Rp{_whole(summary.fees_idr)}",
        "paid in cash": f"Rp{_whole(summary.paid_idr)}",
        "still owed to residents": f"Rp{_whole(summary.owed_idr)}",
        "payouts": ", ".join(f"{n} {how}" for how, n in sorted(summary.payouts.items())) or "none",
        "km driven": _decimal(summary.driven_km),
        "kg per km": _decimal(per_km),
        "given back by collectors": _whole(summary.released),
        "wrong handover codes": _whole(summary.wrong_codes),
    }
    for what, how_much in rows.items():
        table.add_row(what, how_much)
    return table


def _books(summary: Summary) -> Table:
    table = _table("trial balance", "", "accounts", "units", "sum")
    for books in summary.books:
        off = [f"{unit} {amount}" for unit, amount in books.sums.items() if amount]
        table.add_row(
            books.name,
            "",
            _whole(books.accounts),
            _whole(len(books.sums)),
            ", ".join(off) or "0 in all",
        )
    return table


def _calls(summary: Summary) -> Table:
    table = _table("call", "", "count", "p50 ms", "p99 ms")
    for call in summary.calls:
        table.add_row(call.call, "", _whole(call.count), f"{call.p50_ms:.1f}", f"{call.p99_ms:.1f}")
    return table


def _failures(summary: Summary) -> Table:
    """Alike ones together, with what was said of the first."""
    table = Table.grid(padding=(0, 2))
    alike: dict[tuple[str, str], list[str]] = {}
    for failure in summary.failures:
        alike.setdefault((failure.call, failure.what), []).append(failure.detail)
    for (call, what), details in alike.items():
        table.add_row(Text(call, style="red"), f"{len(details)} times", Text(what))
        table.add_row("", "", Text(details[0]))
    return table


def _verdict(summary: Summary) -> str:
    calls = sum(call.count for call in summary.calls)
    took = f"{_whole(calls)} calls in {summary.seconds:.1f} s"
    if summary.is_clean:
        return f"{took}: none failed, and everything adds up."
    return f"{took}: {len(summary.failures)} failed, or something does not add up."


def _table(*headings: str) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="bold")
    for index, heading in enumerate(headings):
        table.add_column(heading, justify="left" if index < 2 else "right", no_wrap=index == 0)
    return table


def _decimal(value: float) -> str:
    """One digit after the point: 12,500.5."""
    return f"{value:,.1f}"


def _whole(value: int) -> str:
    return f"{value:,}"
