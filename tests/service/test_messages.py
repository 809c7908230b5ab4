"""Messages reach the file whole, a line each, whoever else writes."""

import asyncio
import dataclasses
import json
import multiprocessing
import re
import stat
from multiprocessing.synchronize import Barrier
from pathlib import Path

import pytest

from service.messages import FileMessenger, Message, MessageNotSent

PHONE = "+6281234567890"
CODE = "482913"

code_message = Message(
    to=PHONE,
    kind="sign_in_code",
    text=f"Kode masuk Anda {CODE}.",
    language="id",
    fields={"code": CODE, "minutes": "5"},
)
receipt = Message(
    to=PHONE,
    kind="pickup_collected",
    text="Terima kasih!\n\nBotol 2,4 kg\tRp7.200",
    language="id",
    fields={"amount": "7200"},
)


def lines_of(path: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in path.read_bytes().splitlines()]


async def test_a_code_is_one_line_with_the_code_on_top(tmp_path: Path) -> None:
    path = tmp_path / "new" / "folder" / "messages.jsonl"
    await FileMessenger(path).send(code_message)
    [line] = lines_of(path)
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", str(line.pop("at")))
    assert line == {**dataclasses.asdict(code_message), "code": CODE}


async def test_only_the_owner_can_read_the_file(tmp_path: Path) -> None:
    path = tmp_path / "messages.jsonl"
    await FileMessenger(path).send(receipt)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


async def test_line_ends_in_the_text_do_not_end_the_line(tmp_path: Path) -> None:
    path = tmp_path / "messages.jsonl"
    text = "one\ntwo\r\nthree\u2028four\x85five"
    await FileMessenger(path).send(Message(PHONE, "notice", text, "en"))
    assert len(path.read_text().splitlines()) == 1
    assert lines_of(path)[0]["text"] == text


async def test_many_tasks_write_a_line_each(tmp_path: Path) -> None:
    path = tmp_path / "messages.jsonl"
    messenger = FileMessenger(path)
    await asyncio.gather(*(messenger.send(numbered(number)) for number in range(200)))
    assert {line["kind"] for line in lines_of(path)} == {f"n{number}" for number in range(200)}


def test_two_processes_write_a_line_each(tmp_path: Path) -> None:
    path = tmp_path / "messages.jsonl"
    context = multiprocessing.get_context("spawn")
    together = context.Barrier(2)
    writers = [context.Process(target=write_100, args=(path, n, together)) for n in (0, 100)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert [writer.exitcode for writer in writers] == [0, 0]
    assert {line["kind"] for line in lines_of(path)} == {f"n{number}" for number in range(200)}


def write_100(path: Path, first: int, together: Barrier) -> None:
    async def write() -> None:
        for number in range(first, first + 100):
            await FileMessenger(path).send(numbered(number))

    together.wait(timeout=30)
    asyncio.run(write())


def numbered(number: int) -> Message:
    # Longer than a page of memory, so that a line written in pieces would show.
    return Message(PHONE, f"n{number}", "kilogram " * 2_000, "id")


async def test_a_file_that_cannot_be_written_may_be_tried_again(tmp_path: Path) -> None:
    with pytest.raises(MessageNotSent) as failure:
        await FileMessenger(tmp_path).send(code_message)
    assert failure.value.retry
    assert CODE not in str(failure.value)
