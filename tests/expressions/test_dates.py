"""Dates: filters, patterns, calendar functions, with a fixed clock."""

from __future__ import annotations

import gzip
import json
from datetime import UTC, date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from penstock.expressions import Environment, ExpressionError, evaluate, render
from penstock.expressions.date_patterns import format_date, parse_date
from penstock.expressions.dates import format_moment
from penstock.expressions.locales import locale_of
from scripts import locale_words

_NOW = datetime(2024, 1, 15, 9, 30, 5, 123456, tzinfo=UTC)
_FIXED = Environment(clock=lambda: _NOW, zone=ZoneInfo("UTC"))
_PARIS = datetime(2024, 1, 15, 10, 30, 5, 123456, tzinfo=ZoneInfo("Europe/Paris"))


def _evaluate(expression: str, **variables: Any) -> Any:
    return evaluate(f"{{{{ {expression} }}}}", variables, environment=_FIXED)


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("start | date('yyyy-MM-dd')", "2024-01-15"),
        ("start | date", "2024-01-15T09:30:05.123456Z"),
        ("start | date('yyyy-MM-dd HH:mm:ss.SSSSSS')", "2024-01-15 09:30:05.123456"),
        ("start | date(vars.f)", "15/01"),
        ("now() | date(\"yyyy-MM-dd'T'HH:mm:ssX\", timeZone='UTC')", "2024-01-15T09:30:05Z"),
        ("start | date('HH', timeZone='Asia/Kolkata')", "15"),
        ("'2024-01-15' | date('sql')", "2024-01-15 00:00:00.000000"),
        ("'2024-01-15 10:00' | date('HH:mm')", "10:00"),
        ("'2024-01-15T10:00:00+02:00' | date('HH:mm')", "08:00"),
        ("'2024-01-15T10:00:00.5+01:00[Europe/Paris]' | date('iso')", "2024-01-15T09:00:00.500000Z"),
        ("0 | date('yyyy')", "1970"),
        ("'15.01.24 5 PM' | date('yyyy-MM-dd HH', existingFormat='dd.MM.yy h a')", "2024-01-15 17"),
        ("'5 mars 2024' | date('yyyy-MM-dd', existingFormat='d MMMM yyyy', locale='fr')", "2024-03-05"),
        ("start | date('EEEE d MMMM', locale='fr')", "lundi 15 janvier"),
        ("start | date('EEEE d MMMM', locale='pl')", "poniedziałek 15 stycznia"),
        ("start | date('LLLL', locale='pl-PL')", "styczeń"),
        ("'15 styczeń 2024' | date('yyyy-MM-dd', existingFormat='d LLLL yyyy', locale='pl')", "2024-01-15"),
        ("start | date('MMMM', locale='de_AT')", "Jänner"),
        ("start | date('short', locale='de-DE')", "15.01.24, 09:30"),
        ("start | date('short', locale='en-GB')", "15/01/2024, 09:30"),
        ("start | date('short', locale='en_US')", "1/15/24, 9:30 AM"),
        ("start | date('yyyy年M月d日 EEEE', locale='ja')", "2024年1月15日 月曜日"),
        ("start | date('EEEE', locale='zh_TW')", "星期一"),
        ("start | date('EEE', locale='zh-Hant')", "週一"),
        ("start | date('MMMM', locale='in')", "Januari"),
        ("start | date('MMMM', locale='fr-XX')", "janvier"),
        ("'2024-12-29T00:00:00Z' | date('YYYY w e')", "2025 1 1"),
        ("'2024-12-29T00:00:00Z' | date('YYYY w e', locale='fr')", "2024 52 7"),
        ("'2024-12-29T00:00:00Z' | date('YYYY w e', locale='pt-BR')", "2025 1 1"),
        ("start | date('HH') | number >= 6", True),
        ("day | date('yyyy-MM-dd')", "2024-02-29"),
        ("now() | dateAdd(-1, 'DAYS') | date('yyyy-MM-dd')", "2024-01-14"),
        ("now() | dateAdd(90, 'MINUTES') | date('HH:mm')", "11:00"),
        ("'2024-03-31T00:00:00Z' | dateAdd(-1, 'MONTHS') | date('yyyy-MM-dd')", "2024-02-29"),
        ("now() | dateAdd(1, 'YEARS', 'yyyy')", "2025"),
        ("'2024-03-30T12:00:00' | dateAdd(1, 'DAYS', timeZone='Europe/Paris') | string", "2024-03-31T12:00:00+02:00"),
        ("'2024-03-30T12:00:00' | dateAdd(24, 'HOURS', timeZone='Europe/Paris') | string", "2024-03-31T13:00:00+02:00"),
        ("now() | timestamp(timeZone='Europe/Paris')", 1705311005),
        ("now() | timestampMilli(timeZone='Asia/Kolkata')", 1705311005123),
        ("now() | timestampMicro", 1705311005123456),
        ("now() | timestampNano", 1705311005123456000),
        ("now() | date('yyyy-MM-dd') | timestamp()", 1705276800),
        ("'15/01/2024' | timestamp(existingFormat='dd/MM/yyyy', timeZone='Europe/Paris')", 1705273200),
        ("null | date('yyyy')", None),
        ("now(timeZone='Europe/Paris') | string", "2024-01-15T10:30:05.123456+01:00"),
        ("now(format='iso_local_date')", "2024-01-15"),
    ],
)
def test_date_expression_gives(expression: str, value: Any) -> None:
    """EXP-126 to EXP-129, EXP-165."""
    assert (
        _evaluate(expression, start="2024-01-15T09:30:05.123456Z", vars={"f": "dd/MM"}, day=date(2024, 2, 29)) == value
    )


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("iso", "2024-01-15T10:30:05.123456+01:00"),
        ("iso_sec", "2024-01-15T10:30:05+01:00"),
        ("sql", "2024-01-15 10:30:05.123456"),
        ("sql_seq", "2024-01-15 10:30:05"),
        ("iso_date_time", "2024-01-15T10:30:05.123456+01:00[Europe/Paris]"),
        ("iso_zoned_date_time", "2024-01-15T10:30:05.123456+01:00[Europe/Paris]"),
        ("iso_date", "2024-01-15+01:00"),
        ("iso_time", "10:30:05.123456+01:00"),
        ("iso_local_date", "2024-01-15"),
        ("iso_instant", "2024-01-15T09:30:05.123456Z"),
        ("iso_local_date_time", "2024-01-15T10:30:05.123456"),
        ("iso_local_time", "10:30:05.123456"),
        ("iso_offset_time", "10:30:05.123456+01:00"),
        ("iso_ordinal_date", "2024-015+01:00"),
        ("iso_week_date", "2024-W03-1+01:00"),
        ("rfc_1123_date_time", "Mon, 15 Jan 2024 10:30:05 +0100"),
        ("full", "Monday, January 15, 2024 at 10:30:05 AM Europe/Paris"),
        ("long", "January 15, 2024 at 10:30:05 AM CET"),
        ("medium", "Jan 15, 2024, 10:30:05 AM"),
        ("short", "1/15/24, 10:30 AM"),
    ],
)
def test_named_format_writes(name: str, text: str) -> None:
    """EXP-127."""
    assert format_moment(_PARIS, name) == text


@pytest.mark.parametrize(
    ("pattern", "text"),
    [
        ("yy/M/d h:mm a", "24/1/15 10:30 AM"),
        ("EEEE EEE EEEEE", "Monday Mon M"),
        ("MMM MMMM MMMMM L", "Jan January J 1"),
        ("D DDD", "15 015"),
        ("Q QQQ QQQQ", "1 Q1 1st quarter"),
        ("w e c", "3 2 2"),
        ("S SSS SSSSSSSSS n", "1 123 123456000 123456000"),
        ("VV z", "Europe/Paris CET"),
        ("O OOOO", "GMT+1 GMT+01:00"),
        ("X XX XXX", "+01 +0100 +01:00"),
        ("Z ZZZZ ZZZZZ", "+0100 GMT+01:00 +01:00"),
        ("k K H h G", "10 10 10 10 AD"),
        ("''yyyy'' 'o''clock'", "'2024' o'clock"),
        ("yyyy_MM_dd__HH_mm_ss", "2024_01_15__10_30_05"),
    ],
)
def test_pattern_writes_as_java_does(pattern: str, text: str) -> None:
    """EXP-127; the expected texts are those of java.time.format.DateTimeFormatter."""
    assert format_date(_PARIS, pattern) == text


@pytest.mark.parametrize(
    ("text", "pattern", "moment"),
    [
        ("2024-January-5", "yyyy-MMMM-d", "2024-01-05T00:00:00"),
        ("20240105103000", "yyyyMMddHHmmss", "2024-01-05T10:30:00"),
        ("Mon, 15 Jan 2024 10:30", "EEE, d MMM yyyy HH:mm", "2024-01-15T10:30:00"),
        ("12:05 am", "hh:mm a", "1970-01-01T00:05:00"),
        ("2024-060", "yyyy-DDD", "2024-02-29T00:00:00"),
        ("10:30", "HH:mm[:ss]", "1970-01-01T10:30:00"),
        ("2024-01-05T10:30+0530", "yyyy-MM-dd'T'HH:mmXX", "2024-01-05T10:30:00+05:30"),
        ("2024-01-05 10:30 Europe/Paris", "yyyy-MM-dd HH:mm VV", "2024-01-05T10:30:00+01:00"),
    ],
)
def test_pattern_reads(text: str, pattern: str, moment: str) -> None:
    """EXP-126, EXP-127."""
    assert parse_date(text, pattern).isoformat() == moment


@pytest.mark.parametrize(
    "expression",
    [
        "'nonsense' | date('yyyy')",
        "'2024-02-30' | date('yyyy')",
        "'31/02/2024' | date('yyyy', existingFormat='dd/MM/yyyy')",
        "'x' | date('yyyy', existingFormat='yyyy')",
        "now() | date('bbb')",
        'now() | date("yyyy\'")',
        "now() | date('yyyy', timeZone='Mars/Base')",
        "now() | date('yyyy', locale='tlh')",
        "now() | date('yyyy', locale='no such one')",
        "[1] | date('yyyy')",
        "true | date('yyyy')",
        "now() | dateAdd('1', 'DAYS')",
        "now() | dateAdd(1, 'FORTNIGHTS')",
        "now() | dateAdd(99999, 'YEARS')",
        "99999999999999999 | date('yyyy')",
        "now() | date('yyyy', existingFormat='[yyyy')  | date('x', existingFormat='[yyyy')",
    ],
)
def test_date_expression_without_result_raises(expression: str) -> None:
    """EXP-009, EXP-126, EXP-128."""
    with pytest.raises(ExpressionError):
        _evaluate(expression)


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("isWeekend('2024-01-13')", True),
        ("isWeekend(now())", False),
        ("isPublicHoliday('2024-07-04T00:00:00Z', 'US')", True),
        ("isPublicHoliday('2024-07-05', 'US')", False),
        ("isPublicHoliday('2024-01-06', 'DE')", False),
        ("isPublicHoliday('2024-01-06', 'DE', 'DE-BY')", True),
        ("isDayWeekInMonth('2024-01-15', 'MONDAY', 'THIRD')", True),
        ("isDayWeekInMonth('2024-01-15', 'monday', 'FIRST')", False),
        ("isDayWeekInMonth('2024-01-29', 'MONDAY', 'LAST')", True),
        ("isDayWeekInMonth('2024-01-22', 'MONDAY', 'LAST')", False),
        ("dayOfWeek(now())", "MONDAY"),
        ("dayOfMonth('2024-02-29')", 29),
        ("monthOfYear('2024-12-01T00:00:00Z')", 12),
        ("hourOfDay('2024-01-15T23:30:00+02:00')", 23),
    ],
)
def test_calendar_function_answers(expression: str, value: Any) -> None:
    """EXP-174 to EXP-178."""
    assert _evaluate(expression) == value


@pytest.mark.parametrize(
    "expression", ["isPublicHoliday(now(), 'XX')", "isDayWeekInMonth(now(), 'MOONDAY', 'FIRST')", "dayOfWeek('soon')"]
)
def test_calendar_function_of_something_unknown_raises(expression: str) -> None:
    """EXP-175, EXP-176."""
    with pytest.raises(ExpressionError):
        _evaluate(expression)


def test_now_without_format_is_a_date() -> None:
    """EXP-165."""
    assert render("{{ now() }}", {}, environment=_FIXED) == "2024-01-15T09:30:05.123456Z"


def test_locales_are_those_of_the_repository_and_each_can_be_used() -> None:
    """EXP-126."""
    moment = datetime(2024, 3, 5, 16, 4, 5, tzinfo=UTC)
    known = json.loads(gzip.decompress(locale_words.TARGET.read_bytes()))
    assert len({tag.partition("-")[0] for tag in known}) > 200
    some = ["de", "de_AT", "pl", "zh", "zh_Hant", "zh_Hant_TW"]
    made = locale_words.collected(some)
    stale = [tag for tag in (one.replace("_", "-") for one in some) if made.get(tag) != known.get(tag)]
    assert stale == [], "run python -m scripts.locale_words"
    for tag in known:
        locale = locale_of(tag)
        assert all(format_date(moment, style, locale) for style in locale.styles)
        assert [len(set(names)) for names in (locale.days, locale.months)] == [7, 12], tag
