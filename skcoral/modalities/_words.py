"""Words: the tokens of a text in any language, without a dictionary.

Text is normalised first: to NFKC, so that one letter has one code (composed or not,
wide or narrow), and by case folding. A word is a run of letters, digits and combining
marks. Scripts that do not separate words are cut into overlapping pairs of letters, as
is usual in retrieval.
"""

import re
import unicodedata
from bisect import bisect
from collections.abc import Iterable
from functools import cache
from operator import itemgetter
from typing import NamedTuple, TypeAlias

# Code blocks of scripts that do not separate words by spaces, and the number of letters
# and marks that make about one word. Korean does, but particles cling to its words.
SCRIPTS: list[tuple[int, int, float | None]] = [
    (0x0E00, 0x0EFF, 8),  # Thai, Lao
    (0x1000, 0x109F, 8),  # Burmese
    (0x1100, 0x11FF, None),  # Hangul
    (0x1780, 0x17FF, 8),  # Khmer
    (0x1A20, 0x1AAF, 8),  # Tai Tham
    (0x2E80, 0x303F, 2),  # radicals and iteration marks of Han
    (0x3040, 0x309F, 2),  # Hiragana
    (0x30A0, 0x30FF, 5),  # Katakana
    (0x3100, 0x312F, 2),  # Bopomofo
    (0x31A0, 0x31BF, 2),
    (0x31F0, 0x31FF, 5),  # Katakana
    (0x3400, 0x9FFF, 2),  # Han
    (0xA980, 0xA9FF, 8),  # Javanese, Burmese
    (0xAA60, 0xAA7F, 8),  # Burmese
    (0xAC00, 0xD7FF, None),  # Hangul
    (0xF900, 0xFAFF, 2),  # Han
    (0x20000, 0x3FFFF, 2),  # Han
]
# Number of letters of a token where words are cut because texts share none.
PIECE = 3
# Numbers of letters of runs within words.
RUNS = (3, 4)
# Marks on one letter beyond this number are left out, as in the stream-safe format of
# Unicode: sorting them takes quadratic time.
MAX_MARKS = 30
# Codes whose categories are looked up; in the planes beyond are Han, and characters
# that are ignored.
CODES = range(0x20000)
# Planes and blocks are taken as a whole beyond these codes, as few ranges match faster.
OTHER_LETTERS, EMOJI = 0x10000, 0x1F000
# The only invisible character that separates words.
ZERO_WIDTH_SPACE = 0x200B
# Normal forms turn a trade mark into letters. The rest selects variants of signs.
IGNORED = {0x2120, 0x2122, *range(0xFE00, 0xFE10)}
# A text, tags, or the cells of several columns.
Document: TypeAlias = "str | list[str] | tuple[str | list[str], ...]"


class Patterns(NamedTuple):
    """Regular expressions of all characters of some kind."""

    ignored: re.Pattern[str]
    excess: re.Pattern[str]
    token: re.Pattern[str]
    cluster: re.Pattern[str]


def fold(text: str) -> str:
    """Return a text normalised and without case, so that equal words are equal.

    Parameters
    ----------
    text : str
        Any text; lone surrogates and invisible characters are left out.

    Returns
    -------
    str
        The folded text.
    """
    if text.isascii():
        return text.lower()
    patterns = _compile_patterns()
    text = patterns.excess.sub(r"\1", patterns.ignored.sub("", text))
    # Twice: folding can undo the normal form.
    text = unicodedata.normalize("NFKC", text).casefold()
    return unicodedata.normalize("NFKC", text)


def split_words(document: Document) -> list[str]:
    """Return the words of a text, or tags as they are.

    Parameters
    ----------
    document : str, list of str or tuple of these
        A text, tags, or the cells of several columns.

    Returns
    -------
    list of str
        Words, signs such as emoji, and pairs of letters of scripts without spaces.
    """
    return [token for kind, text in _scan(document) for token in _cut(kind, text)]


def split_pieces(document: Document) -> list[str]:
    """Return the words of a text, cut into pieces of a few letters; tags stay whole.

    Parameters
    ----------
    document : str, list of str or tuple of these
        A text, tags, or the cells of several columns.

    Returns
    -------
    list of str
        Overlapping pieces of words, and all that is no word as in `split_words`.
    """
    return [
        token
        for kind, text in _scan(document)
        for token in (_slide(text, PIECE) if kind == "word" else _cut(kind, text))
    ]


def split_letters(document: Document) -> list[str]:
    """Return the words of a text as runs of letters; tags stay whole.

    Parameters
    ----------
    document : str, list of str or tuple of these
        A text, tags, or the cells of several columns.

    Returns
    -------
    list of str
        All runs of three and four letters of each word with a space at either end, and
        all that is no word as in `split_words`.
    """
    return [
        token
        for kind, text in _scan(document)
        for token in (_slide_word(text) if kind == "word" else _cut(kind, text))
    ]


def count_words(text: str) -> float:
    """Return about how many words a text has, in any script.

    Parameters
    ----------
    text : str
        The text.

    Returns
    -------
    float
        What spaces separate, and a word for every few letters of scripts without.
    """
    n_words = 0.0
    for part in text.split():
        lengths = [] if part.isascii() else list(map(_length_in_words, part))
        n_words += sum(lengths) if any(lengths) else 1
    return n_words


def _scan(document: Document) -> Iterable[tuple[str | None, str]]:
    """Yield the kind and the text of each token before it is cut."""
    if isinstance(document, tuple):
        for cell in document:
            yield from _scan(cell)
    elif isinstance(document, str):
        for match in _compile_patterns().token.finditer(fold(document)):
            yield match.lastgroup, match.group()
    else:
        yield from (("tag", fold(tag).strip()) for tag in document)


def _cut(kind: str | None, text: str) -> list[str]:
    """Return the tokens of a match; none of what is left out."""
    if kind == "unspaced":
        return _slide(_compile_patterns().cluster.findall(text), 2)
    return [text] if kind and text else []


def _slide(letters: list[str] | str, size: int) -> list[str]:
    """Return all runs of `size` letters, or all letters if they are fewer."""
    n_runs = max(1, len(letters) - size + 1)
    return ["".join(letters[i : i + size]) for i in range(n_runs)]


def _slide_word(word: str) -> list[str]:
    """Return the runs of letters of a word with a space at either end."""
    padded = f" {word} "
    sizes = (size for size in RUNS if size <= len(padded))
    return [run for size in sizes for run in _slide(padded, size)]


def _length_in_words(letter: str) -> float:
    """Return the part of a word that a letter makes up, 0 if spaces separate words."""
    length = _find_script(ord(letter))[2]
    return 1 / length if length else 0.0


def _find_script(code: int) -> tuple[int, int, float | None]:
    """Return the script of a letter that does not separate words, or an empty one."""
    script = SCRIPTS[bisect(SCRIPTS, code, key=itemgetter(0)) - 1]
    return script if script[0] <= code <= script[1] else (0, 0, None)


@cache
def _compile_patterns() -> Patterns:
    """Compile the patterns, from the categories of all characters."""
    kinds: dict[str, list[int]] = {kind: [] for kind in "CMPSW"}
    for code in CODES:
        kind = _kind_of_letter(code)
        if kind:
            kinds[kind].append(code)
    ignored, marks, unspaced, signs, letters = map(_join_ranges, kinds.values())
    ignored += "\U000e0000-\U000e0fff"
    unspaced += "\U00020000-\U0003ffff"
    word = letters + marks
    return Patterns(
        ignored=re.compile(f"[{ignored}]"),
        excess=re.compile(f"([{marks}]{{{MAX_MARKS}}})[{marks}]+"),
        token=re.compile(
            # Of no group: what separates words in ASCII, to be passed over at once, and
            # the letters of "l'eau" and "it's" that are no words.
            r"[\x00-&(-/:-@\[-^`{-\x7f]+"
            f"|[{word}]['\u2019](?=[{word}])"
            f"|['\u2019](?<=[{word}].)[{word}](?![{word}])"
            f"|(?P<unspaced>[{unspaced}][{unspaced}{marks}]*)"
            # Words, such as "C++" and "C#".
            f"|(?P<word>[{word}]+(?:[+#]+(?![{word}{unspaced}]))?)"
            # Two letters make a flag.
            f"|(?P<sign>[\U0001f1e6-\U0001f1ff]{{2}}|[{signs}])"
        ),
        cluster=re.compile(f"[^{marks}][{marks}]*|[{marks}]+"),
    )


def _kind_of_letter(code: int) -> str | None:
    """Return what a character is to the patterns, or None if it separates words."""
    category = unicodedata.category(chr(code))
    if code == ZERO_WIDTH_SPACE:
        return None
    if category in ("Cf", "Cs") or code in IGNORED:
        return "C"
    if category[0] == "M":
        return "M"
    if (category == "So" and code < OTHER_LETTERS) or code >= EMOJI:
        return "S"
    if category[0] == "L" and _find_script(code)[1]:
        return "P"
    letter = category[0] in "LN" or code == ord("_") or code >= OTHER_LETTERS
    return "W" if letter else None


def _join_ranges(codes: list[int]) -> str:
    """Return sorted codes as the ranges of a character class."""
    starts = [c for c, last in zip(codes, [-2, *codes], strict=False) if c != last + 1]
    ends = [c for c, then in zip(codes, [*codes[1:], -2], strict=True) if then != c + 1]
    return "".join(f"\\U{a:08x}-\\U{b:08x}" for a, b in zip(starts, ends, strict=True))
