"""A question's text → what it asks for: its terms, its requirements, its options and the kind of answer wanted."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Literal

from assistant.text.stop_words import ASKING, content
from assistant.text.tokenizer import words

READ = 8_000
"""Characters of a question that are read; the rest is named in a warning."""

Ask = Literal["concept", "detail", "tool", "list", "value", "how", "why", "compare", "code", "need"]
"""What kind of answer is asked for; `need` is a scenario without a question word."""


@dataclass(frozen=True, slots=True)
class Requirement:
    """One clause of a question."""

    text: str
    """A span of the question."""
    weight: float
    """1 for a demand; less for what is only background; negative for what must not be."""


@dataclass(frozen=True, slots=True)
class Query:
    """A question as understood, before anything is looked up."""

    text: str
    """The whole of it, blanks and control characters tidied."""
    core: str
    """What is embedded: without sentences that only ask and without what is put aside."""
    requirements: tuple[Requirement, ...]
    ask: Ask
    terms: tuple[str, ...]
    """Stems of its content words, each once, in order: neither function words nor words that only ask for a form."""
    wanted: tuple[str, ...]
    """Stems of the noun it asks for ("which release *strategy*"), with what stands before it."""
    code: bool
    """Whether a snippet is asked for."""
    language: str
    """The language asked for, canonical; "" for any, "drawing" for a diagram."""
    told: bool
    """Whether it tells of a situation or a need, and does not only ask for a fact."""
    options: tuple[tuple[str, str], ...] = ()
    """(label, text) of a multiple-choice question, in the given order."""


_NOUNS: Mapping[Ask, str] = {
    "concept": r"services?|strateg(?:y|ies)|patterns?|approach(?:es)?|designs?|architectures?|"
    r"technolog(?:y|ies)|products?|methods?|techniques?|solutions?|models?"
    r"|platforms?|(?:kind|sort|flavou?r|type|class|tier|form)s?|environments?|databases?|stores?|discounts?|mechanisms?|offerings?|variants?|concepts?|practices?|modes?",
    "detail": r"settings?|options?|parameters?|fields?|flags?|propert(?:y|ies)|attributes?|features?|"
    r"resources?|objects?|keys?|headers?|annotations?|arguments?|roles?|"
    r"rules?|functions?|components?|elements?|sections?|polic(?:y|ies)|capabilit(?:y|ies)|switch|knobs?",
    "tool": r"tools?|librar(?:y|ies)|packages?|sdks?|frameworks?|programs?|clients?|modules?|plugins?",
}
_WHICH = (
    r"\b(?:which|what|whats|what's)\s+(?:(?:is|are|s|of the|would be|else|"
    r"other)\s+)?(?:(?:the|a|an)\s+)?(?P<before>(?:[\w'’-]+\s+){0,4}?)"
)
_LANGUAGES = {
    "yaml": "yaml|yml|manifests?|helm values", "terraform": "terraform|hcl|tf", "python": "python|py",
    "bash": "bash|shell|cli|commands?|command line|cmd line|kubectl|terminal",
    "json": "json", "sql": r"in sql|sql (?:query|statement|code|script)|ddl|select statement",
    "javascript": "javascript|js",
    "go": "golang|go (?:functions?|handlers?|loop|code|programs?|examples?|struct|methods?)",
    "java": "java", "dockerfile": "dockerfile",
    "drawing": "draw|drawn|drawing|diagram|picture|sketch|ascii|tree|flow ?chart",
}  # fmt: skip
_WRITTEN = (
    r"(?:go|golang|python|javascript|typescript|java|rust|ruby|c#|bash|shell|sql|json|yaml|terraform|hcl|jq) "
    r"(?:functions?|handlers?|class|methods?|loop|code|scripts?|expressions?|lines|examples?|programs?|snippets?|files?)"
)
_CODE = re.compile(
    r"\b(?:show (?:me|us|the|how|that|a|an|it|an?)|snippets?|code|yaml|yml|manifest|script|"
    "commands?|syntax|ddl|draw|drawn|diagram|listing|config file|"
    r"(?:an?|any|some|code|usage|working|full|complete|minimal) examples?|examples? (?:of|for|how|please|with)|"
    "give me the (?:file|rule|policy)|how do i write|"
    r"look like|looks like|terraform|lines? of|(?:bit|piece) of (?:python|go|shell|sql|json|yaml)|" + _WRITTEN + "|"
    r"in (?:python|json|yaml|bash|sql|hcl|go|java|javascript|typescript))\b|\bin c#",
    re.IGNORECASE,
)
_VALUE = re.compile(
    r"\b(?:how (?:many|much|long|often|far|big|large|high|small|old|soon|fast|deep)|up to how|"
    r"what'?s the (?:exact|name|value|address)|(?:which|what) (?:\w+ )?(?:port|number|"
    "value|path|name|"
    r"percentages?|level|price|size|limit|namespace|string|address|header|role|variable|group|"
    r"span|flag|command|version)|what (?:is|does|do|are|'s)\b|what becomes|between which|"
    r"at which|from which|by what|through which|after how|is it possible|can i|may i)",
    re.IGNORECASE,
)
_SEVERAL = re.compile(
    r"(?i)\b(?:which|what)\b(?:\s+[\w-]+){1,4}?(?<=[^\Ws])s\s+(?:do|does|are|can|exist|has|have|is)\b"
    r"|\bwhat (?:are|kinds|types)\b|\b(?:which|what) (?:two|three|four|five|six|seven|eight|nine|ten)\b"
)
"""Asks for all of a kind …"""
_CHOOSES = re.compile(r"(?i)\b(?:recommend|suggest|fits?|suits?|choose|pick|take|best|should|would)\b")
"""… or for a choice among them."""
_SIDES = re.compile(
    r"\b(?:differ(?:s|ences?|ent)?\b.{0,40}\?|difference between|compare[ds]?|comparison|versus|vs|side by side|"
    r"distinguish(?:es)?|which of (?:them|the two|both)|pros and cons|trade-?offs?|when which|speaks for which|"
    r"what (?:does|do) each|which does what|when do i (?:take|use|choose) .{1,60} and when|"
    r"gain with .{1,60} over|or what does each|what(?:'?s| is| are) the differences?)\b|"
    r"\b(?:what|how) .{0,30}\bdiffer(?:s|ences?|ent)?\b",
    re.IGNORECASE,
)
_SHORT = 32
"""Words up to which a question that names two sides is a comparison, whatever else it tells."""
_COMPARE = re.compile(r"\b(?:against|rather than|instead of)\b", re.IGNORECASE)
_EITHER = re.compile(r"^[^.?!]{0,60}?\b([\w-]+(?:\s[\w-]+){0,2})\s+or\s+([\w-]+(?:\s[\w-]+){0,2})\b[^.]{0,80}\?")
_SHOW = re.compile(r"(?i)\b(?:show|give|print|draw|write|list|paste|see|need|want|like|looking for|please)\b")
_THING = re.compile(
    r"^(?:(?:[Aa]n?|[Tt]he|[Mm]y|[Pp]lease)\s+)?(?:[\w#+-]+\s+){0,2}?(?:[A-Z]+[a-z]+[A-Z]\w*|[\w-]+\.(?:json|ya?ml|py|tf|sh|xml|toml|sql)|"
    r"template|query|lines|tree|xml|python|json|yaml|comm?and|one-liner|regex|(?i:" + _WRITTEN + r")|"
    r"(?i:file|handler|class|expression|resource) (?:that|which|whose|with)|(?i:json|yaml|xml) of)\b"
)
"""A short text that begins with the name of something written asks to see it."""
_REQUEST = 22
"""Words up to which such a text is short."""
_TALE = 25
"""Words from which a text tells a story, and only its last sentence can ask for code."""
_MUST = re.compile(r"(?i)\b(?:must|should|shall|has to|have to|ought to|may not|cannot)\b")
_SPOKEN_OF = re.compile(
    r"(?i)\b(?:our|my|their|its|no|(?:just|without) the|without(?: any)?) (?:own )?(?:code|scripts?|commands?)\b"
    r"|\b(?:what|who|which \w+) \w+s (?:the|this|that) (?:code|scripts?|commands?)\b"
)
"""Code that is there, or must not be: whoever asks what runs it asks for no line of it."""
_STORY = 12
"""Content words from which a question tells a story."""
_SITUATION = re.compile(
    r"(?i)\b(?:we|our|us|i|my|me|they|their|he|she|his|her|nobody|everybody|somebody|someone|everyone|must|should|"
    r"has to|have to|needs?|wants?|wish(?:es)?|insists?|keeps?|each|every|no longer|never|always)\b"
)
_PUT_ASIDE = re.compile(
    r"\b(?:ignor(?:e|ing)|forget|leav(?:e|ing)|set(?:ting)?|put(?:ting)?|never mind|"
    r"disregard(?:ing)?|apart from|regardless of)\s+(?:about\s+)?(?:all|everything|"
    "(?:all )?(?:of )?(?:that|this|these|those|it))"
    r"(?:\s+(?:of\s+)?(?:that|this|it))?(?:\s+aside)?\s*[:;,.–—-]*\s*",
    re.IGNORECASE,
)
_BACKGROUND = re.compile(
    r"^(?:(?:we|i|they|the \w+|our \w+)\s+)?(?:already|currently|today|at the moment|so far|"
    "as of now|right now|even though|although|though|despite|no matter|we use|we run|"
    r"the app is|they already)\b",
    re.IGNORECASE,
)
_AGAINST = re.compile(
    r"^(?:and |but |so )?(?:(?:please )?no\b(?! \w+ (?:may|can|must|should))|not\b|"
    r"nobody wants|without\b|instead of|rather than|don'?t want|we (?:refuse|don'?t|won'?t|"
    r"do not)|neither|nor\b|never\b|isn'?t|"
    r"[\w ]{1,24} (?:is|are) (?:ruled out|not an option|out of the question|no longer wanted)|i don'?t|they don'?t)",
    re.IGNORECASE,
)
_SENTENCE = re.compile(r"(?<=[.!?;])\s+|\n+|(?<=\w)\s*[:–—]\s+|\s+-\s+")
_CLAUSE = re.compile(
    r",\s+(?=\S+ \S+)|\s+(?=(?:and|but|while|so that|because|although|even though|whereas|yet|"
    r"then|until|unless|where|when|which|who|instead of|without|rather than)\s+\S+ \S+ \S+)",
    re.IGNORECASE,
)
_OPTION = re.compile(r"(?:^|[\s(])\(?([A-H])[).:]\s+", re.MULTILINE)


def tidy(text: str) -> str:
    """The text with control and format characters as blanks, single-spaced; lines are kept apart."""
    kept = "".join(
        c if c == "\n" or unicodedata.category(c) not in ("Cc", "Cf", "Cs", "Co", "Cn") else " " for c in text
    )
    return "\n".join(" ".join(line.split()) for line in kept.split("\n")).strip()


def parse(text: str, options: Mapping[str, str] | None = None, *, code: bool = False, language: str = "") -> Query:
    """A question's parts; never fails, an empty text gives a Query without terms."""
    clean = tidy(text[:READ])
    chosen = tuple((options or {}).items())
    if not chosen:
        clean, chosen = _split_options(clean)
    aside = _PUT_ASIDE.search(clean)
    kept = clean[aside.end() :] if aside and len(clean) - aside.end() > 20 else clean
    sentences = [s.strip() for s in _SENTENCE.split(kept) if re.search(r"\w", s)]
    asked = [s for s in sentences if not _only_asks(s)]
    core = _wanted_only(asked) if asked else kept
    named = _which(clean)
    about = content(core)
    needs = _tells_a_need(clean)
    wants_code = code or bool(language) or _asks_for_code(clean)
    return Query(
        text=clean,
        core=core,
        requirements=_requirements_of(asked or sentences),
        ask=_ask(clean, named[0], wants_code, needs),
        terms=about,
        wanted=named[1],
        code=wants_code,
        language=language or (_language(clean) if wants_code else ""),
        told=needs or len(about) >= _STORY,
        options=chosen,
    )


def _asks_for_code(text: str) -> bool:
    """A word for code asks for it in a short question, or at the end of a long one; elsewhere, and in a sentence that
    says what must be, it is part of the story.
    """
    spoken = [s for s in _SENTENCE.split(text) if re.search(r"\w", s)]
    if len(words(text)) <= _REQUEST and not text.endswith("?") and not _MUST.search(text) and _THING.search(text):
        return True
    if len(words(text)) > _TALE:
        spoken = [s for s in spoken[-1:] if s.endswith("?") or _SHOW.search(s)]
    return any(
        _CODE.search(_SPOKEN_OF.sub(" ", s)) and (s.endswith("?") or _SHOW.search(s) or not _MUST.search(s))
        for s in spoken
    )


def _tells_a_need(text: str) -> bool:
    """Whether a text describes a situation or a need, and does not only ask for a fact: a sentence that states one,
    before or without a question.
    """
    spoken = [s for s in _SENTENCE.split(text) if re.search(r"\w", s)]
    stated = [s for s in spoken if not s.endswith("?")]
    if len(spoken) == len(stated):
        stated = [
            s for s in spoken if not re.match(r"(?i)\s*(?:what|which|how|why|when|where|who|is|are|do|does)\b", s)
        ]
    if len(spoken) > 1 and any(len(content(s)) >= 5 for s in stated):
        return True
    return any(_SITUATION.search(s) and len(content(s)) >= 3 for s in stated)


def _only_asks(sentence: str) -> bool:
    """Whether a sentence only asks for a name ("Which service fits?") and says nothing of the need."""
    if not sentence.endswith("?") and not re.match(r"(?i)^(?:please|show|tell|give|example|name)\b", sentence):
        return False
    if not re.search(r"(?i)\b(?:which|what|where|how|recommend|suggest|please|example|name|tell|show)\b", sentence):
        return False
    left = [t for t in content(sentence) if t not in ASKING]
    return len(left) <= 1 and len(words(sentence)) <= 12


@cache
def _naming(kind: Ask) -> re.Pattern[str]:
    return re.compile(_WHICH + rf"(?P<noun>{_NOUNS[kind]})\b", re.IGNORECASE)


def _which(text: str) -> tuple[Ask | None, tuple[str, ...]]:
    """The kind of thing asked for and the words that name it; the last question of the text counts."""
    found: tuple[Ask | None, tuple[str, ...]] = (None, ())
    at = -1
    for kind in _NOUNS:
        for match in _naming(kind).finditer(text):
            if match.start() > at:
                at, found = match.start(), (kind, content(f"{match['before']} {match['noun']}"))
    return found


def _ask(text: str, named: Ask | None, code: bool, needs: bool) -> Ask:
    if _compares(text, needs):
        return "compare"
    if not needs and _SEVERAL.search(text) and not _CHOOSES.search(text):
        return "list"
    if named in ("concept", "tool"):
        return named
    if code:
        return "code"
    if named != "detail" and needs:
        return "need"
    if named == "detail" and not re.search(r"(?i)\b(?:which|what)\s+(?:\w+\s+){0,2}(?:role|header|key|flag)s?\b", text):
        return named
    if re.search(
        r"(?i)\bwhat do you call\b|\bwhat (?:should|do(?:es)?|can|could) (?:i|we|be|they|the|you|one)\b|"
        r"\bwho does\b|\bwhere should\b|\bis there an?\b",
        text,
    ):
        return "need"
    if _VALUE.search(text):
        return "value"
    if re.search(r"(?i)\bhow\b", text):
        return "how"
    return "why" if re.search(r"(?i)\bwhy\b", text) else "need"


def _compares(text: str, needs: bool) -> bool:
    """Whether two things are to be held against each other: said outright, or "X or Y" in a question that tells no
    story.
    """
    if _SIDES.search(text) and len(words(text)) <= _SHORT:
        return True
    if needs:
        return False
    return bool(
        _COMPARE.search(text) and re.search(r"(?i)\b(?:and|or|than|from|against|over|between|both|two)\b", text)
    ) or (bool(_EITHER.match(text)) and len(words(text)) <= 16)


def _language(text: str) -> str:
    hits = [
        (m.start(), name)
        for name, pattern in _LANGUAGES.items()
        for m in re.finditer(rf"\b(?:{pattern})\b", text, re.IGNORECASE)
    ]
    named = [name for _, name in sorted(hits)]
    return named[0] if named else ""


def _requirements_of(sentences: list[str]) -> tuple[Requirement, ...]:
    found = []
    for sentence in sentences:
        parts = (
            [p.strip(" ,.;:!?") for p in _CLAUSE.split(sentence)]
            if len(words(sentence)) > 8
            else [sentence.strip(" ,.;:!?")]
        )
        for part in parts:
            if content(part):
                found.append(Requirement(part, _weight(part)))
    return tuple(found)


def _wanted_only(sentences: list[str]) -> str:
    """The sentences without the clauses that say what must not be; whole where hardly anything else is left."""
    left = []
    for sentence in sentences:
        parts = _CLAUSE.split(sentence) if len(words(sentence)) > 8 else [sentence]
        kept = [p for p in parts if not _AGAINST.search(p.strip(" ,.;:!?"))]
        if kept:
            left.append(sentence if len(kept) == len(parts) else ", ".join(p.strip(" ,") for p in kept))
    text = " ".join(left)
    return text if len(content(text)) >= 4 else " ".join(sentences)


def _weight(clause: str) -> float:
    if _AGAINST.search(clause):
        return -0.5
    return 0.4 if _BACKGROUND.search(clause) else 1.0


def _split_options(text: str) -> tuple[str, tuple[tuple[str, str], ...]]:
    """`A) … B) …` at the end of a question, as its options; only where the labels run from A without a gap."""
    marks = list(_OPTION.finditer(text))
    labels = [m[1] for m in marks]
    if len(labels) < 2 or labels != [chr(ord("A") + i) for i in range(len(labels))]:
        return text, ()
    ends = [m.start() for m in marks[1:]] + [len(text)]
    return text[: marks[0].start()].strip(), tuple(
        (m[1], text[m.end() : end].strip(" ,;\n")) for m, end in zip(marks, ends, strict=True)
    )
