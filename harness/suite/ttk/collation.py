"""In which order does JavaScript's ``localeCompare`` put file names? The reference engine sorts paths with it.

The order is that of the CLDR root collation (UTS #10 with CLDR's tailoring), for what file names are written with:
ASCII, Latin letters with marks, dashes and quotes. Letters of other scripts follow these, by code point.
"""

from __future__ import annotations

import unicodedata

__all__ = ["CollationKey", "collation_key"]

CollationKey = tuple[tuple[tuple[int, int], ...], tuple[int, ...], tuple[int, ...], str]
_ORDER = "\t\n\v\f\r _-–—,;:!?.'\"()[]{}@*/\\&#%`^+<=>|~$0123456789abcdefghijklmnopqrstuvwxyz"
_PRIMARY = {character: index for index, character in enumerate(_ORDER)}
# What Unicode does not take apart, but the collation does.
_EXPANSIONS = {"æ": "ae", "ø": "o", "đ": "d", "ł": "l", "œ": "oe", "‘": "'", "’": "'", "“": '"', "”": '"'}
_SYMBOLS, _DIGITS, _LETTERS = _PRIMARY["$"], _PRIMARY["9"], _PRIMARY["z"]


def collation_key(text: str) -> CollationKey:
    """Returns a key under which texts sort as ``localeCompare`` sorts them.

    First the letters apart from marks and case decide, over the whole text; then marks; then case, small before
    capital; then, so that the order is total, the code points.
    """
    primary: list[tuple[int, int]] = []
    marks: list[int] = []
    cases: list[int] = []
    for character in text:
        for part in unicodedata.normalize("NFKD", character):
            if unicodedata.combining(part):
                marks.append(ord(part))
                continue
            small = part.casefold()
            expanded = _EXPANSIONS.get(small, small)
            for letter in expanded:
                if (weight := _weight(letter)) is None:
                    continue
                primary.append(weight)
                marks.append(0)
                cases.append(2 * (part != small) + (unicodedata.decomposition(character)[:1] == "<"))
            if expanded != small:
                marks.append(ord(small))
    return tuple(primary), tuple(marks), tuple(cases), text


def _weight(letter: str) -> tuple[int, int] | None:
    if (place := _PRIMARY.get(letter)) is not None:
        return place, 0
    category = unicodedata.category(letter)
    if category in ("Cc", "Cf"):
        return None
    if category[0] in "PSZ":
        return _SYMBOLS, ord(letter)
    if category[0] == "N" and (digit := unicodedata.digit(letter, None)) is not None:
        return _PRIMARY[str(digit)], 0
    return (_DIGITS if category[0] == "N" else _LETTERS), ord(letter)
