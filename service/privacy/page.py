"""An export as a page: to be read by a person, on a phone, without anything else."""

import json
import re
from collections.abc import Mapping
from datetime import datetime
from html import escape
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from models.bank import Bank
from models.people import Membership
from service.errors import in_words
from service.privacy.export import Row
from service.privacy.heads import head_of
from service.privacy.order import arranged, in_order
from service.privacy.titles import FIRST, LAST, MONTHS, TITLES, WORDS
from service.privacy.values import meaning_of

_INSTANT = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d+)?(Z|[+-]\d{2}:\d{2})")
_STYLE = (
    "body{font:16px/1.5 system-ui,sans-serif;margin:0 auto;max-width:70rem;padding:1rem;"
    "color:#1c2b22}h1,h2{color:#14532d;line-height:1.2}h2{font-size:1.1rem;margin:2rem 0 .5rem}"
    ".box{overflow-x:auto;border:1px solid #b9cfc0;border-radius:.4rem}"
    "table{border-collapse:collapse;font-size:.9rem}"
    "th,td{padding:.4rem .7rem;text-align:left;vertical-align:top;white-space:nowrap}"
    "th{background:#eef5f0}tr+tr{border-top:1px solid #dde8e1}"
    "td.long{white-space:normal;overflow-wrap:anywhere;min-width:16rem}"
    "td.figure{text-align:right;font-variant-numeric:tabular-nums}"
)
_LONG = 40
"""Characters from which on a cell may go on in the next line."""
_LARGE = ("grams", "amount", "balance_after")
"""Ends of columns whose figures are written 12.500; the others number things."""
_OF_PARTS = ("body", "weighings")
"""Columns that hold JSON."""
_OF_NO_BANK = "Asia/Jakarta"


async def zone_of(session: AsyncSession, person_id: UUID) -> ZoneInfo:
    """By which clock a person reads times: that of the bank they joined first."""
    query = (
        select(Bank.time_zone)
        .join(Membership, col(Membership.bank_id) == col(Bank.id))
        .where(Membership.person_id == person_id)
        .order_by(col(Membership.created_at), col(Membership.bank_id))
        .limit(1)
    )
    return ZoneInfo((await session.exec(query)).first() or _OF_NO_BANK)


async def bank_names(session: AsyncSession, tables: Mapping[str, list[Row]]) -> dict[str, str]:
    """What the banks in these tables are called, by their ids as they stand there."""
    ids = {UUID(row["bank_id"]) for rows in tables.values() for row in rows if row.get("bank_id")}
    query = select(Bank.id, Bank.name).where(col(Bank.id).in_(ids))
    return {str(bank_id): name for bank_id, name in await session.exec(query)}


def as_page(
    tables: Mapping[str, list[Row]],
    language: str,
    at: datetime,
    zone: ZoneInfo,
    banks: Mapping[str, str],
) -> str:
    """The tables, what matters to most people first; instants as clocks in `zone` show them.

    `banks` are the names of banks by their ids.
    """
    words = WORDS[language]
    parts = "".join(
        _table(name, arranged(tables[name], banks), language, zone) for name in _in_order(tables)
    )
    return (
        f'<!doctype html><html lang="{language}"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{words['title']}</title><style>{_STYLE}</style></head>"
        f"<body><h1>{words['title']}</h1>"
        f"<p>{words['made']} {_clock(at, language, zone)}. {words['what']}</p>{parts}</body></html>"
    )


def _in_order(tables: Mapping[str, list[Row]]) -> list[str]:
    """Oneself and one's money first, what the machine keeps of it last."""
    between = [name for name in tables if name not in FIRST and name not in LAST]
    return [name for name in (*FIRST, *between, *LAST) if name in tables]


def _table(name: str, rows: list[Row], language: str, zone: ZoneInfo) -> str:
    heads = "".join(f"<th>{escape(head_of(column, language))}</th>" for column in rows[0])
    lines = "".join(
        "<tr>" + "".join(_cell(*cell, language, zone) for cell in row.items()) + "</tr>"
        for row in rows
    )
    title = TITLES[name][0 if language == "en" else 1]
    return (
        f"<h2>{escape(title)} ({len(rows)})</h2>"
        f'<div class="box"><table><tr>{heads}</tr>{lines}</table></div>'
    )


def _cell(column: str, value: Any, language: str, zone: ZoneInfo) -> str:
    text = _text(column, value, language, zone)
    is_figure = isinstance(value, int) and not isinstance(value, bool)
    kind = "figure" if is_figure else "long" if len(text) > _LONG else ""
    return f'<td class="{kind}">{escape(text)}</td>' if kind else f"<td>{escape(text)}</td>"


def _text(column: str, value: Any, language: str, zone: ZoneInfo) -> str:
    """A value as a person reads it."""
    if isinstance(value, str) and column in _OF_PARTS:
        value = _parsed(value)
    if isinstance(value, dict):
        parts = (
            f"{head_of(k, language)}: {_text(k, value[k], language, zone)}" for k in in_order(value)
        )
        return ", ".join(parts)
    if isinstance(value, list):
        return "; ".join(_text(column, one, language, zone) for one in value)
    if isinstance(value, str):
        return _words(column, value, language, zone)
    return _figure(column, value, language)


def _words(column: str, text: str, language: str, zone: ZoneInfo) -> str:
    if _INSTANT.fullmatch(text):
        return _clock(datetime.fromisoformat(text), language, zone)
    return meaning_of(column, text, language) or text


def _figure(column: str, value: Any, language: str) -> str:
    if isinstance(value, bool):
        return WORDS[language]["yes" if value else "no"]
    if isinstance(value, int) and column.endswith("_idr"):
        return f"{'-' if value < 0 else ''}Rp{in_words(abs(value), language)}"
    if isinstance(value, int) and column.endswith(_LARGE):
        return in_words(value, language)
    return "" if value is None else str(value)


def _parsed(text: str) -> Any:
    """What stands in a text of JSON; the text itself if it is none."""
    try:
        return json.loads(text)
    except ValueError:
        return text


def _clock(at: datetime, language: str, zone: ZoneInfo) -> str:
    """29 Nov 2026 03.54 WIB; the colon is English."""
    local = at.astimezone(zone)
    mark = ":" if language == "en" else "."
    month = MONTHS[language][local.month - 1]
    return f"{local.day} {month} {local:%Y %H}{mark}{local:%M %Z}"
