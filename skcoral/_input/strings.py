"""Strings that stand for numbers or dates, and so lose them as levels of a category."""

import re

# Fewer levels are codes, classes or grades more often than quantities.
MIN_LEVELS = 20
# Number of levels that are looked at.
MAX_LEVELS = 1000
# Share of the levels that must have the form; the rest may be words such as "n/a".
MOST = 0.95
# Digits after a leading zero are codes, such as postal codes.
FORMS = {
    "numbers": re.compile(r"\s*[-+]?(0|[1-9]\d*)?(\.\d*)?([eE][-+]?\d+)?\s*"),
    "dates": re.compile(
        r"\s*(\d{4}[-/.]\d{1,2}([-/.]\d{1,2})?|\d{1,2}[-/.]\d{1,2}[-/.](\d{4}|\d{2}))"
        r"([T ]+\d{1,2}:\d{2}.*)?\s*"
    ),
}


def find_form(levels):
    """Return what strings stand for, where a category of them loses it.

    Parameters
    ----------
    levels : collection of str
        The levels of a categorical column, in any order that does not change.

    Returns
    -------
    {"numbers", "dates"} or None
        None if there are few levels, or levels of another form.
    """
    levels = list(levels)[:MAX_LEVELS]
    if len(levels) <= MIN_LEVELS:
        return None
    for name, form in FORMS.items():
        fitting = sum(1 for level in levels if _fits(form, level))
        if fitting >= MOST * len(levels):
            return name
    return None


def _fits(form, level):
    return any(sign.isdigit() for sign in level) and form.fullmatch(level) is not None
