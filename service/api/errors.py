"""Problems become answers here: one table of statuses, one shape (RFC 9457)."""

import logging
from collections.abc import Iterable, Sequence
from itertools import islice
from typing import Any

import fastapi
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from pydantic import BaseModel
from sqlalchemy.exc import InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect

from service import errors
from service.api.titles import title_of
from service.api.wording import in_english, in_indonesian
from service.database import is_disk_full
from service.errors import FieldProblem, NotAllowed, Problem
from service.ledger import BookBusy
from service.members import SecondFactorNotGiven
from service.oidc import IssuerNotReached

log = logging.getLogger(__name__)

_MOST_FIELDS = 200
_LONGEST_NAME = 100
STATUS: dict[type[Problem], int] = {
    errors.Malformed: 422,
    errors.NotSignedIn: 401,
    errors.Forbidden: 403,
    errors.NotFound: 404,
    errors.Conflict: 409,
    errors.TooMany: 429,
}
MEDIA_TYPE = "application/problem+json"


class RequestMalformed(errors.Malformed):
    english = "The request can't be understood. See what is said of each field."
    indonesian = "Permintaan tidak dapat dipahami. Lihat keterangan tiap isian."


class IdempotencyKeyReused(errors.Malformed):
    english = (
        "This Idempotency-Key was already used for another request. Send a new key with this one."
    )
    indonesian = "Idempotency-Key ini sudah dipakai untuk permintaan lain. Kirim permintaan ini dengan kunci baru."


class IdempotencyKeyMissing(Problem):
    english = "What moves money needs an Idempotency-Key header, so that a repeat does nothing."
    indonesian = (
        "Permintaan yang memindahkan uang memerlukan header Idempotency-Key agar aman diulang."
    )


class NoSuchPath(errors.NotFound):
    english = "There is nothing at this address."
    indonesian = "Alamat ini tidak ada."


class MethodNotAllowed(Problem):
    english = "This address does not answer that method."
    indonesian = "Alamat ini tidak menerima metode tersebut."


class BodyTooLarge(Problem):
    english = "The body of the request is too large: at most {most_bytes} bytes."
    indonesian = "Isi permintaan terlalu besar: paling banyak {most_bytes} byte."


class BodyOverLimit(fastapi.HTTPException):
    """Thrown into whoever reads a body: FastAPI takes all else for one it can't parse."""

    def __init__(self, most_bytes: int) -> None:
        super().__init__(413)
        self.most_bytes = most_bytes


class InternalError(Problem):
    english = "Something went wrong on our side. Nothing was changed."
    indonesian = "Terjadi kesalahan di pihak kami. Tidak ada yang berubah."


class TryAgainSoon(Problem):
    # Lost in the middle of a COMMIT, nobody here knows whether it was done; the key does.
    english = (
        "The database can't be reached right now. Try again soon, with the same"
        " Idempotency-Key: what you ask is done once."
    )
    indonesian = (
        "Basis data sedang tidak dapat dihubungi. Coba lagi sebentar lagi dengan"
        " Idempotency-Key yang sama: permintaan Anda dijalankan satu kali saja."
    )


class TooBusy(Problem):
    english = (
        "More is asked than can be answered just now. Nothing was changed. Try again in a moment."
    )
    indonesian = (
        "Permintaan sedang lebih banyak daripada yang dapat dilayani. Tidak ada yang berubah."
        " Coba lagi sesaat lagi."
    )


class TookTooLong(Problem):
    english = (
        "This took too long and was given up. Try again soon, with the same Idempotency-Key:"
        " what you ask is done once."
    )
    indonesian = (
        "Permintaan ini terlalu lama dan dihentikan. Coba lagi sebentar lagi dengan"
        " Idempotency-Key yang sama: permintaan Anda dijalankan satu kali saja."
    )


class TooManyRequests(errors.TooMany):
    english = "Too many requests came at once. Try again in {retry_after_s} seconds."
    indonesian = "Terlalu banyak permintaan sekaligus. Coba lagi {retry_after_s} detik lagi."


class DiskFull(Problem):
    english = (
        "The server has no room left to write. Nothing was changed; its operator has to act."
        " Then try again with the same Idempotency-Key."
    )
    indonesian = (
        "Ruang simpan server penuh. Tidak ada yang berubah; pengelola harus bertindak."
        " Setelah itu coba lagi dengan Idempotency-Key yang sama."
    )


class CodeNotSent(Problem):
    english = "The code could not be sent just now. Ask for it again in a moment."
    indonesian = "Kode belum dapat dikirim. Mintalah lagi sebentar lagi."


_OWN_STATUS: dict[type[Problem], int] = {
    IdempotencyKeyMissing: 400,
    MethodNotAllowed: 405,
    BodyTooLarge: 413,
    InternalError: 500,
    TryAgainSoon: 503,
    TooBusy: 503,
    TookTooLong: 503,
    CodeNotSent: 503,
    BookBusy: 503,
    IssuerNotReached: 503,
    DiskFull: 507,
}
_OF_STATUS = {404: NoSuchPath, 405: MethodNotAllowed}
# FastAPI's 400: text that isn't UTF-8, or JSON too deep or with numbers too long to read.
_UNREADABLE = FieldProblem(
    "", "The body can't be read as JSON.", "Isi permintaan tidak terbaca sebagai JSON."
)


class FieldProblemView(BaseModel):
    pointer: str
    detail: str


class ProblemView(BaseModel):
    """RFC 9457 problem details."""

    type: str
    title: str
    status: int
    detail: str
    errors: list[FieldProblemView] | None = None


def status_of(problem: type[Problem]) -> int:
    """The HTTP status of a problem, by itself or by its family."""
    if problem in _OWN_STATUS:
        return _OWN_STATUS[problem]
    return next(status for family, status in STATUS.items() if issubclass(problem, family))


def type_of(problem: type[Problem]) -> str:
    return f"/problems/{problem.slug()}"


def language_of(request: Request) -> str:
    """The first of Indonesian and English that the caller accepts; Indonesian if neither."""
    return accepted_language(request) or "id"


def accepted_language(request: Request) -> str | None:
    """The first of Indonesian and English that the caller names."""
    for part in request.headers.get("accept-language", "").lower().split(","):
        wanted = part.strip()[:2]
        if wanted in ("id", "en"):
            return wanted
    return None


def answer_of(request: Request, problem: Problem) -> Response:
    """The problem as an answer, in the caller's language."""
    language = language_of(request)
    status = status_of(type(problem))
    body: dict[str, Any] = {
        "type": type_of(type(problem)),
        "title": title_of(type(problem), language),
        "status": status,
        "detail": problem.detail(language),
    }
    if problem.fields:
        body["errors"] = [
            {"pointer": field.pointer, "detail": field.detail(language)} for field in problem.fields
        ]
    return JSONResponse(body, status, headers=_headers(problem), media_type=MEDIA_TYPE)


def documented(*problems: type[Problem]) -> dict[int | str, dict[str, Any]]:
    """What OpenAPI says of the problems a route can answer with."""
    by_status: dict[int | str, list[type[Problem]]] = {}
    # Whoever is refused for want of a part may have it, and only lack the proof.
    proof = (SecondFactorNotGiven,) if NotAllowed in problems else ()
    for problem in (*problems, *proof, RequestMalformed, TooManyRequests, TookTooLong):
        by_status.setdefault(status_of(problem), []).append(problem)
    return {status: _described(listed) for status, listed in by_status.items()}


def install(app: FastAPI) -> None:
    """Answer every error of this application as a problem."""
    app.add_exception_handler(Problem, _on_problem)
    app.add_exception_handler(RequestValidationError, _on_malformed)
    app.add_exception_handler(HTTPException, _on_http)
    app.add_exception_handler(OperationalError, _on_database)
    app.add_exception_handler(InterfaceError, _on_database)
    app.add_exception_handler(PoolTimeout, _on_database)
    app.add_exception_handler(ClientDisconnect, _on_gone)
    app.add_exception_handler(Exception, _on_defect)


def _described(listed: Sequence[type[Problem]]) -> dict[str, Any]:
    schema = {"$ref": "#/components/schemas/ProblemView"}
    return {
        "description": ", ".join(f"`{problem.slug()}`" for problem in listed),
        "content": {MEDIA_TYPE: {"schema": schema}},
    }


def _headers(problem: Problem) -> dict[str, str]:
    if isinstance(problem, errors.TooMany):
        return {"Retry-After": str(problem.facts.get("retry_after_s", 60))}
    if isinstance(problem, errors.NotSignedIn):
        return {"WWW-Authenticate": "Bearer"}
    if isinstance(problem, TryAgainSoon | TookTooLong | CodeNotSent | BookBusy | IssuerNotReached):
        return {"Retry-After": "5"}
    if isinstance(problem, TooBusy):
        return {"Retry-After": "1"}
    if isinstance(problem, DiskFull):
        return {"Retry-After": "60"}
    return {}


async def _on_problem(request: Request, error: Exception) -> Response:
    assert isinstance(error, Problem)  # noqa: S101
    return answer_of(request, error)


async def _on_malformed(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)  # noqa: S101
    return answer_of(request, RequestMalformed(*_fields(error.errors())))


async def _on_http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # noqa: S101
    if isinstance(error, BodyOverLimit):
        return answer_of(request, BodyTooLarge(most_bytes=error.most_bytes))
    if error.status_code == 400:
        return answer_of(request, RequestMalformed(_UNREADABLE))
    known = _OF_STATUS.get(error.status_code)
    if known is None:
        body = {
            "type": "about:blank",
            "title": str(error.detail),
            "status": error.status_code,
            "detail": str(error.detail),
        }
        return JSONResponse(body, error.status_code, media_type=MEDIA_TYPE)
    answer = answer_of(request, known())
    answer.headers.update(error.headers or {})
    allowed = answer.headers.get("Allow", "")
    if "GET" in allowed and "HEAD" not in allowed:
        # What can be read has a head, which no route of ours says of itself (see api.heads).
        answer.headers["Allow"] = allowed.replace("GET", "GET, HEAD")
    return answer


async def _on_database(request: Request, error: Exception) -> Response:
    if is_disk_full(error):
        log.error("disk_full %s %s", request.method, request.url.path)
        return answer_of(request, DiskFull())
    log.warning("database_unavailable %s", type(error).__name__)
    return answer_of(request, TryAgainSoon())


async def _on_gone(_request: Request, _error: Exception) -> Response:
    """Nobody is there any more to read an answer."""
    return Response(status_code=400)


async def _on_defect(request: Request, error: Exception) -> Response:
    log.error("defect %s %s", request.method, request.url.path, exc_info=error)
    return answer_of(request, InternalError())


def _fields(found: Iterable[dict[str, Any]]) -> list[FieldProblem]:
    """Where pydantic found what, as JSON pointers: the body's fields from its root."""
    fields: list[FieldProblem] = []
    # Who sends thousands of what is wrong has read enough by then.
    for error in islice(found, _MOST_FIELDS):
        place = [str(part)[:_LONGEST_NAME] for part in error["loc"]]
        if place and place[0] in ("body", "query", "path", "header"):
            place = place[1:]
        if error["type"] == "json_invalid":
            place = []
        pointer = "".join("/" + part.replace("~", "~0").replace("/", "~1") for part in place)
        field = FieldProblem(pointer, in_english(error), in_indonesian(error))
        if field not in fields:
            fields.append(field)
    return fields
