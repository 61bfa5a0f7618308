"""Logs: one form, a correlation id, and no secret of any kind in them, whoever logs."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Iterator

import pytest
import structlog

from rxchat.observability import configure_logging, correlated, correlation_id, redacted

CANARY = "canary7f3a"
TOKEN = f"v4.local.{CANARY}"


@pytest.fixture
def logs(capsys: pytest.CaptureFixture[str]) -> Iterator[pytest.CaptureFixture[str]]:
    """Logging as it was again after a test that configures it (itself: the streams of set-up are closed by then)."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield capsys
    root.handlers[:], root.level = handlers, level
    structlog.reset_defaults()


def written(logs: pytest.CaptureFixture[str]) -> list[dict]:
    text = logs.readouterr().err
    assert CANARY not in text
    return [json.loads(line) for line in text.splitlines()]


def test_a_line_is_json_with_its_correlation_id(logs) -> None:
    configure_logging("info", "json")
    with correlated() as chosen:
        assert correlation_id() == chosen
        structlog.get_logger("ours").info("it happened", answer=42)
        logging.getLogger("theirs").warning("that too")
    assert correlation_id() == ""
    ours, theirs = written(logs)
    assert (ours["event"], ours["answer"], ours["level"]) == ("it happened", 42, "info")
    assert ours["correlation_id"] == theirs["correlation_id"] == chosen


def test_what_fails_each_second_has_its_traceback_once(logs) -> None:
    """And what fails otherwise has its own."""
    configure_logging("info", "json")
    for error in (OSError("no 1"), OSError("no 2"), ValueError("other"), OSError("no 3")):
        for logger in (structlog.get_logger("ours"), logging.getLogger("theirs")):
            try:
                raise error
            except (OSError, ValueError):
                logger.exception("it failed")
    lines = written(logs)
    for name in ("ours", "theirs"):
        mine = [line for line in lines if line["logger"] == name]
        assert ["Traceback" in line.get("exception", "") for line in mine] == [True, False, True, False]
    assert [line.get("error") for line in lines if line["logger"] == "ours"] == [None, "no 2", None, "no 3"]


def test_a_known_correlation_id_goes_on() -> None:
    with correlated("from-before"):
        assert correlation_id() == "from-before"


@pytest.mark.parametrize(
    "values",
    [
        {"cookie": f"rxchat_session={TOKEN}"},
        {"api_key": CANARY},
        {"password": CANARY},
        {"text": CANARY},
        {"content": CANARY},
        {"headers": {"authorization": CANARY}},
        {"url": f"postgresql://rxchat_web:{CANARY}@127.0.0.1/rxchat"},
        {"nested": {"deep": [{"session_token": CANARY}]}},
        {"reason": f"cannot open {TOKEN} here"},
        {"error": f"null value in column\nDETAIL:  Failing row contains (1, {CANARY}, null)."},
        {"exception": f'psycopg.errors.ProgramLimitExceeded: word is too long in tsquery: "{CANARY}"\nend'},
        {"statement": f"(psycopg.errors.InvalidTextRepresentation) invalid input: {CANARY}\nLINE 1: SELECT '{CANARY}'"},
    ],
    ids=lambda values: next(iter(values)),
)
def test_secrets_are_taken_out_by_name_and_by_shape(logs, values) -> None:
    configure_logging("info", "json")
    structlog.get_logger("ours").info("careless", **values)
    (line,) = written(logs)
    assert "[redacted]" in json.dumps(line)


def test_what_reflex_says_of_an_unknown_event_holds_no_cookie_and_no_words(logs) -> None:
    configure_logging("info", "json")
    # Its own words, as seen: reflex_base.event.processor.event_processor, version 0.10.1.
    event = (
        "Event(name='nope', router_data={'headers': {'cookie': 'rxchat_session=TOKEN; other=CANARY', 'host': 'x'}},"
        " payload={'text': 'a CANARY question'})"
    )
    spoken = event.replace("TOKEN", TOKEN).replace("CANARY", CANARY)
    logging.getLogger("reflex_base").error("Error processing event queue entry for %s", spoken)
    (line,) = written(logs)
    assert "nope" in line["event"]


def test_exceptions_are_logged_without_the_secrets_in_them(logs) -> None:
    configure_logging("info", "json")
    try:
        raise RuntimeError(f"postgresql://a:{CANARY}@b/c and {TOKEN}")
    except RuntimeError:
        structlog.get_logger("ours").exception("it broke")
    (line,) = written(logs)
    assert "RuntimeError" in line["exception"]


def test_numbers_are_not_secrets() -> None:
    assert redacted({"a": 1, "b": [True, None]}) == {"a": 1, "b": [True, None]}


def test_correlation_survives_into_tasks_that_are_started_inside() -> None:
    async def inside() -> str:
        return correlation_id()

    async def outside() -> tuple[str, str]:
        with correlated() as chosen:
            return chosen, await asyncio.create_task(inside())

    chosen, seen = asyncio.run(outside())
    assert chosen == seen


def test_a_line_that_differs_by_its_numbers_is_the_same_line(logs) -> None:
    configure_logging("info", "json")
    for number in range(500):
        logging.getLogger("asyncio").error(f"Task-{number} at {number:#x} was lost")  # noqa: G004 - as libraries do
    assert len(written(logs)) == 20


@pytest.mark.parametrize("with_traceback", [False, True])
def test_what_a_client_chooses_of_a_librarys_message_makes_no_new_kind_of_line(
    logs, monkeypatch: pytest.MonkeyPatch, with_traceback: bool
) -> None:
    clock = 1_000.0
    monkeypatch.setattr("rxchat.observability.time.monotonic", lambda: clock)
    configure_logging("info", "json")
    for number in range(1_000):
        text = "".join(chr(97 + int(digit)) for digit in str(number))
        try:
            raise ValueError(text)
        except ValueError:
            logging.getLogger("reflex").warning(f"Var must not be {text * 5_000}", exc_info=with_traceback)  # noqa: G004 - as libraries do
        clock += 0.05
    printed = logs.readouterr().err
    lines = [json.loads(line) for line in printed.splitlines()]
    assert len(lines) == 20 and len(printed) < 60_000 and lines[-1]["event"].endswith("more characters)")
    assert sum("exception" in line for line in lines) == with_traceback
    clock += 61
    logging.getLogger("reflex").error("another of its lines")
    assert "left out" not in written(logs)[0]["event"]


def test_a_long_message_is_cut_after_its_secrets_are_taken_out(logs) -> None:
    configure_logging("info", "json")
    logging.getLogger("theirs").error("payload={'text': '%s%s'}", "x" * 5_000, CANARY)
    (line,) = written(logs)
    assert line["event"] == "payload=[redacted]"


def test_other_lines_of_the_code_are_not_left_out_with_a_repeated_one(logs) -> None:
    configure_logging("info", "json")
    for _ in range(3_000):
        structlog.get_logger("ours").warning("refused")
    structlog.get_logger("ours").warning("something else")
    lines = [line["event"] for line in written(logs)]
    assert lines.count("refused") == 20 and lines[-1] == "something else"


def test_a_line_that_is_repeated_is_left_out_and_counted(logs, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = 1_000.0
    monkeypatch.setattr("rxchat.observability.time.monotonic", lambda: clock)
    configure_logging("info", "json")

    def log_both(number: int) -> None:
        structlog.get_logger("ours").warning("refused", number=number)
        logging.getLogger("theirs").warning("refused too")

    for number in range(500):
        log_both(number)
    structlog.get_logger("ours").warning("another")
    lines = written(logs)
    assert [line["event"] for line in lines].count("refused") == 20
    assert [line["event"] for line in lines].count("refused too") == 20
    assert lines[-1]["event"] == "another"
    clock += 11
    log_both(500)
    assert [line["left_out"] for line in written(logs)] == [480]
    clock += 50
    log_both(501)
    assert written(logs)[-1]["event"] == "refused too (481 more were left out)"


@pytest.mark.parametrize("form", ["text", "json"])
@pytest.mark.parametrize("hostile", ["\x1b]0;owned\x07", "\x1b[2J", "a\nb", "\x9b31m", "\u202egnp.exe", "\r"])
def test_a_terminal_is_told_nothing_by_what_a_client_sent(logs, form, hostile: str) -> None:
    configure_logging("info", form)
    structlog.get_logger("ours").warning(f"event {hostile}", path=f"/api/{hostile}", list=[hostile])
    logging.getLogger("theirs").warning("path %s", hostile)
    try:
        raise ValueError(hostile)
    except ValueError:
        structlog.get_logger("ours").exception("failed")
    printed = logs.readouterr().err
    assert hostile not in printed.replace("\n", "") if "\n" not in hostile else "/api/a\nb" not in printed
