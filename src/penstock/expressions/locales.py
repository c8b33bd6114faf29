"""Names of months and days, and the usual date formats, in the languages `date(locale=...)` knows (EXP-126)."""

from __future__ import annotations

from dataclasses import dataclass

from penstock.expressions.errors import ExpressionError


@dataclass(frozen=True, slots=True)
class Locale:
    """A language's words for dates; days start with Monday."""

    months: tuple[str, ...]
    short_months: tuple[str, ...]
    days: tuple[str, ...]
    short_days: tuple[str, ...]
    halves: tuple[str, str]
    eras: tuple[str, str]
    styles: tuple[str, str, str, str]
    """Patterns of the formats `full`, `long`, `medium`, `short`."""


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


ENGLISH = Locale(
    _words("January February March April May June July August September October November December"),
    _words("Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec"),
    _words("Monday Tuesday Wednesday Thursday Friday Saturday Sunday"),
    _words("Mon Tue Wed Thu Fri Sat Sun"),
    ("AM", "PM"),
    ("BC", "AD"),
    (
        "EEEE, MMMM d, yyyy 'at' h:mm:ss a zzzz",
        "MMMM d, yyyy 'at' h:mm:ss a z",
        "MMM d, yyyy, h:mm:ss a",
        "M/d/yy, h:mm a",
    ),
)
_LOCALES = {
    "en": ENGLISH,
    "fr": Locale(
        _words("janvier février mars avril mai juin juillet août septembre octobre novembre décembre"),
        _words("janv. févr. mars avr. mai juin juil. août sept. oct. nov. déc."),
        _words("lundi mardi mercredi jeudi vendredi samedi dimanche"),
        _words("lun. mar. mer. jeu. ven. sam. dim."),
        ("AM", "PM"),
        ("av. J.-C.", "ap. J.-C."),
        (
            "EEEE d MMMM yyyy 'à' HH:mm:ss zzzz",
            "d MMMM yyyy 'à' HH:mm:ss z",
            "d MMM yyyy, HH:mm:ss",
            "dd/MM/yyyy HH:mm",
        ),
    ),
    "de": Locale(
        _words("Januar Februar März April Mai Juni Juli August September Oktober November Dezember"),
        _words("Jan. Feb. März Apr. Mai Juni Juli Aug. Sept. Okt. Nov. Dez."),
        _words("Montag Dienstag Mittwoch Donnerstag Freitag Samstag Sonntag"),
        _words("Mo. Di. Mi. Do. Fr. Sa. So."),
        ("AM", "PM"),
        ("v. Chr.", "n. Chr."),
        (
            "EEEE, d. MMMM yyyy 'um' HH:mm:ss zzzz",
            "d. MMMM yyyy 'um' HH:mm:ss z",
            "dd.MM.yyyy, HH:mm:ss",
            "dd.MM.yy, HH:mm",
        ),
    ),
    "es": Locale(
        _words("enero febrero marzo abril mayo junio julio agosto septiembre octubre noviembre diciembre"),
        _words("ene feb mar abr may jun jul ago sept oct nov dic"),
        _words("lunes martes miércoles jueves viernes sábado domingo"),
        _words("lun mar mié jue vie sáb dom"),
        ("a. m.", "p. m."),
        ("a. C.", "d. C."),
        (
            "EEEE, d 'de' MMMM 'de' yyyy, H:mm:ss (zzzz)",
            "d 'de' MMMM 'de' yyyy, H:mm:ss z",
            "d MMM yyyy, H:mm:ss",
            "d/M/yy, H:mm",
        ),
    ),
    "it": Locale(
        _words("gennaio febbraio marzo aprile maggio giugno luglio agosto settembre ottobre novembre dicembre"),
        _words("gen feb mar apr mag giu lug ago set ott nov dic"),
        _words("lunedì martedì mercoledì giovedì venerdì sabato domenica"),
        _words("lun mar mer gio ven sab dom"),
        ("AM", "PM"),
        ("a.C.", "d.C."),
        (
            "EEEE d MMMM yyyy HH:mm:ss zzzz",
            "d MMMM yyyy HH:mm:ss z",
            "d MMM yyyy, HH:mm:ss",
            "dd/MM/yy, HH:mm",
        ),
    ),
    "pt": Locale(
        _words("janeiro fevereiro março abril maio junho julho agosto setembro outubro novembro dezembro"),
        _words("jan. fev. mar. abr. mai. jun. jul. ago. set. out. nov. dez."),
        _words("segunda-feira terça-feira quarta-feira quinta-feira sexta-feira sábado domingo"),
        _words("seg. ter. qua. qui. sex. sáb. dom."),
        ("AM", "PM"),
        ("a.C.", "d.C."),
        (
            "EEEE, d 'de' MMMM 'de' yyyy HH:mm:ss zzzz",
            "d 'de' MMMM 'de' yyyy HH:mm:ss z",
            "d 'de' MMM 'de' yyyy HH:mm:ss",
            "dd/MM/yyyy HH:mm",
        ),
    ),
    "nl": Locale(
        _words("januari februari maart april mei juni juli augustus september oktober november december"),
        _words("jan feb mrt apr mei jun jul aug sep okt nov dec"),
        _words("maandag dinsdag woensdag donderdag vrijdag zaterdag zondag"),
        _words("ma di wo do vr za zo"),
        ("a.m.", "p.m."),
        ("v.Chr.", "n.Chr."),
        (
            "EEEE d MMMM yyyy 'om' HH:mm:ss zzzz",
            "d MMMM yyyy 'om' HH:mm:ss z",
            "d MMM yyyy HH:mm:ss",
            "dd-MM-yyyy HH:mm",
        ),
    ),
}


def locale_of(tag: object) -> Locale:
    """Return the words of a language tag such as `en`, `fr_FR` or `de-AT`.

    Raises:
        ExpressionError: The language is not known.
    """
    if tag is None:
        return ENGLISH
    language = str(tag).replace("_", "-").split("-")[0].lower()
    if language not in _LOCALES:
        raise ExpressionError("the locale is not known", hint=f"use one of {', '.join(_LOCALES)}")
    return _LOCALES[language]
