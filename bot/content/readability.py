"""How many years of school a text takes to read, for the languages that have a formula.

English: Flesch–Kincaid grade level (Kincaid, Fishburne, Rogers & Chissom 1975, Derivation of New Readability Formulas
for Navy Enlisted Personnel). Spanish: Crawford (1989), Fórmula y gráfico para determinar la comprensibilidad de textos
del nivel primario en castellano, Lectura y Vida 10(4). Syllables are counted by rule, without a dictionary.
"""

import re
import unicodedata
from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache

FEWEST_WORDS = 30
"""Below this the formulas say nothing."""
_WORD = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)*")
_SENTENCE = re.compile(r"(?:[.!?…]+|\n)+")
_ENGLISH_VOWELS = re.compile(r"[aeiouy]+")
_ENGLISH_SILENT = re.compile(r"(?<=[^aeiouy])(?:e|es|ed)$")
_ENGLISH_SOUNDED = re.compile(r"(?:[^aeiouy]les?|[td]ed|(?:[sxz]|ch|sh|[cg])es)$")
_ENGLISH_SPLIT = re.compile(r"(?<![tscgx])i[ao]|iet|(?<!p)eo|(?<![gq])ua(?!r)|[aeiouy]ing$")
_ENGLISH_COMPOUND = re.compile(r"^(some|every)(?=[a-z]{3})")
_ENGLISH_IRREGULAR = {"every": 2, "idea": 3, "ideas": 3, "area": 3, "areas": 3, "created": 3, "being": 2}
_SPANISH_MUTE = re.compile(r"(?<=q)u|(?<=g)u(?=[eiéí])")
_SPANISH_NUCLEUS = re.compile(r"[iuüy]?[aeoáéó](?:[iuü]|y\b)?|[uü][ií]|i[uú]|[íú]|[iuü]+y?|y\b")


def grade(texts: Iterable[str], language: str) -> float | None:
    """Return the school grade that the texts take, or None: too short, or a language without a formula."""
    formula = _FORMULAS.get(language.partition("-")[0])
    sentences = [_WORD.findall(part) for text in texts for part in _SENTENCE.split(unicodedata.normalize("NFC", text))]
    spoken = [words for words in sentences if words]
    words = [word.lower() for sentence in spoken for word in sentence]
    return formula(words, len(spoken)) if formula and len(words) >= FEWEST_WORDS else None


@lru_cache(maxsize=20_000)
def english_syllables(word: str) -> int:
    """Count the syllables of an English word, right for most."""
    bare = word.replace("’", "'").split("'")[0].replace("qu", "q")
    if bare in _ENGLISH_IRREGULAR:
        return _ENGLISH_IRREGULAR[bare]
    if compound := _ENGLISH_COMPOUND.match(bare):
        return (1 if compound[1] == "some" else 2) + english_syllables(bare[compound.end() :])
    count = len(_ENGLISH_VOWELS.findall(bare)) + len(_ENGLISH_SPLIT.findall(bare))
    if _ENGLISH_SILENT.search(bare) and not _ENGLISH_SOUNDED.search(bare):
        count -= 1
    return max(count, 1)


@lru_cache(maxsize=20_000)
def spanish_syllables(word: str) -> int:
    """Count the syllables of a Spanish word: vowels that are spoken together count once."""
    return max(len(_SPANISH_NUCLEUS.findall(_SPANISH_MUTE.sub("", word))), 1)


def _flesch_kincaid(words: list[str], sentences: int) -> float:
    syllables = sum(map(english_syllables, words))
    return 0.39 * len(words) / sentences + 11.8 * syllables / len(words) - 15.59


def _crawford(words: list[str], sentences: int) -> float:
    syllables = sum(map(spanish_syllables, words))
    per_hundred = 100 / len(words)
    return -0.205 * sentences * per_hundred + 0.049 * syllables * per_hundred - 3.407


_FORMULAS: Mapping[str, Callable[[list[str], int], float]] = {"en": _flesch_kincaid, "es": _crawford}
