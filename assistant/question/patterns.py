"""Patterns of how people ask: what is wanted, in which form, and how a question is built.

English. Each pattern is used by `intent` or `clauses`, which say what follows from it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from assistant.question.query import Intent

NOUNS: Mapping[Intent, str] = {
    "concept": r"services?|strateg(?:y|ies)|patterns?|approach(?:es)?|designs?|architectures?|"
    r"technolog(?:y|ies)|products?|methods?|techniques?|solutions?|models?"
    r"|platforms?|(?:kind|sort|flavou?r|type|class|tier|form)s?|environments?|databases?|stores?|discounts?|mechanisms?|offerings?|variants?|concepts?|practices?|modes?",
    "detail": r"settings?|options?|parameters?|fields?|flags?|propert(?:y|ies)|attributes?|features?|"
    r"resources?|objects?|keys?|headers?|annotations?|arguments?|roles?|"
    r"rules?|functions?|components?|elements?|sections?|polic(?:y|ies)|capabilit(?:y|ies)|switch|knobs?",
    "tool": r"tools?|librar(?:y|ies)|packages?|sdks?|frameworks?|programs?|clients?|modules?|plugins?",
}
"""Kind of answer → the nouns that ask for it ("which *service*")."""
WHICH = (
    r"\b(?:which|what|whats|what's)\s+(?:(?:is|are|s|of the|would be|else|"
    r"other)\s+)?(?:(?:the|a|an)\s+)?(?:[\w'’-]+\s+){0,4}?"
)
""""Which …" or "what …" up to the noun that is asked for."""
LANGUAGES = {
    "yaml": "yaml|yml|manifests?|helm values", "terraform": "terraform|hcl|tf", "python": "python|py",
    "bash": "bash|shell|cli|commands?|command line|cmd line|kubectl|terminal",
    "json": "json", "sql": r"in sql|sql (?:query|statement|code|script)|ddl|select statement",
    "javascript": "javascript|js",
    "go": "golang|go (?:functions?|handlers?|loop|code|programs?|examples?|struct|methods?)",
    "java": "java", "dockerfile": "dockerfile",
    "drawing": "draw|drawn|drawing|diagram|picture|sketch|ascii|tree|flow ?chart",
}  # fmt: skip
"""Language, as it is called everywhere → the words that ask for it; "drawing" for a diagram."""
_WRITTEN = (
    r"(?:go|golang|python|javascript|typescript|java|rust|ruby|c#|bash|shell|sql|json|yaml|terraform|hcl|jq) "
    r"(?:functions?|handlers?|class|methods?|loop|code|scripts?|expressions?|lines|examples?|programs?|snippets?|files?)"
)
CODE = re.compile(
    r"\b(?:show (?:me|us|the|how|that|a|an|it|an?)|snippets?|code|yaml|yml|manifest|script|"
    "commands?|syntax|ddl|draw|drawn|diagram|listing|config file|"
    r"(?:an?|any|some|code|usage|working|full|complete|minimal) examples?|examples? (?:of|for|how|please|with)|"
    "give me the (?:file|rule|policy)|how do i write|"
    r"look like|looks like|terraform|lines? of|(?:bit|piece) of (?:python|go|shell|sql|json|yaml)|" + _WRITTEN + "|"
    r"in (?:python|json|yaml|bash|sql|hcl|go|java|javascript|typescript))\b|\bin c#",
    re.IGNORECASE,
)
"""Asks to see code."""
VALUE = re.compile(
    r"\b(?:how (?:many|much|long|often|far|big|large|high|small|old|soon|fast|deep)|up to how|"
    r"what'?s the (?:exact|name|value|address)|(?:which|what) (?:\w+ )?(?:port|number|"
    "value|path|name|"
    r"percentages?|level|price|size|limit|namespace|string|address|header|role|variable|group|"
    r"span|flag|command|version)|what (?:is|does|do|are|'s)\b|what becomes|between which|"
    r"at which|from which|by what|through which|after how|is it possible|can i|may i)",
    re.IGNORECASE,
)
"""Asks for a value: a number, a name, a path."""
ALL_OF_A_KIND = re.compile(
    r"(?i)\b(?:which|what)\b(?:\s+[\w-]+){1,4}?(?<=[^\Ws])s\s+(?:do|does|are|can|exist|has|have|is)\b"
    r"|\bwhat (?:are|kinds|types)\b|\b(?:which|what) (?:two|three|four|five|six|seven|eight|nine|ten)\b"
)
"""Asks for all of a kind."""
CHOICE = re.compile(r"(?i)\b(?:recommend|suggest|fits?|suits?|choose|pick|take|best|should|would)\b")
"""Asks for a choice among several."""
TWO_SIDES = re.compile(
    r"\b(?:differ(?:s|ences?|ent)?\b.{0,40}\?|difference between|compare[ds]?|comparison|versus|vs|side by side|"
    r"distinguish(?:es)?|which of (?:them|the two|both)|pros and cons|trade-?offs?|when which|speaks for which|"
    r"what (?:does|do) each|which does what|when do i (?:take|use|choose) .{1,60} and when|"
    r"gain with .{1,60} over|or what does each|what(?:'?s| is| are) the differences?)\b|"
    r"\b(?:what|how) .{0,30}\bdiffer(?:s|ences?|ent)?\b",
    re.IGNORECASE,
)
"""Sets two things against each other outright."""
COMPARE = re.compile(r"\b(?:against|rather than|instead of)\b", re.IGNORECASE)
"""Compares, where two things are named."""
EITHER = re.compile(r"^[^.?!]{0,60}?\b([\w-]+(?:\s[\w-]+){0,2})\s+or\s+([\w-]+(?:\s[\w-]+){0,2})\b[^.]{0,80}\?")
"""A question that offers two things: "X or Y …?"."""
SHOW = re.compile(r"(?i)\b(?:show|give|print|draw|write|list|paste|see|need|want|like|looking for|please)\b")
"""Asks to be shown something."""
WRITTEN_THING = re.compile(
    r"^(?:(?:[Aa]n?|[Tt]he|[Mm]y|[Pp]lease)\s+)?(?:[\w#+-]+\s+){0,2}?(?:[A-Z]+[a-z]+[A-Z]\w*|[\w-]+\.(?:json|ya?ml|py|tf|sh|xml|toml|sql)|"
    r"template|query|lines|tree|xml|python|json|yaml|comm?and|one-liner|regex|(?i:" + _WRITTEN + r")|"
    r"(?i:file|handler|class|expression|resource) (?:that|which|whose|with)|(?i:json|yaml|xml) of)\b"
)
"""Begins with the name of something written ("a function that …")."""
MUST = re.compile(r"(?i)\b(?:must|should|shall|has to|have to|ought to|may not|cannot)\b")
"""Says what has to be."""
SPOKEN_OF = re.compile(
    r"(?i)\b(?:our|my|their|its|no|(?:just|without) the|without(?: any)?) (?:own )?(?:code|scripts?|commands?)\b"
    r"|\b(?:what|who|which \w+) \w+s (?:the|this|that) (?:code|scripts?|commands?)\b"
)
"""Code that is spoken of, not asked for: "our scripts", "without code", "what runs the command"."""
SITUATION = re.compile(
    r"(?i)\b(?:we|our|us|i|my|me|they|their|he|she|his|her|nobody|everybody|somebody|someone|everyone|must|should|"
    r"has to|have to|needs?|wants?|wish(?:es)?|insists?|keeps?|each|every|no longer|never|always)\b"
)
"""Tells of people and what they need."""
PUT_ASIDE = re.compile(
    r"\b(?:ignor(?:e|ing)|forget|leav(?:e|ing)|set(?:ting)?|put(?:ting)?|never mind|"
    r"disregard(?:ing)?|apart from|regardless of)\s+(?:about\s+)?(?:all|everything|"
    "(?:all )?(?:of )?(?:that|this|these|those|it))"
    r"(?:\s+(?:of\s+)?(?:that|this|it))?(?:\s+aside)?\s*[:;,.–—-]*\s*",
    re.IGNORECASE,
)
"""What came before does not count ("ignore all that")."""
BACKGROUND = re.compile(
    r"^(?:(?:we|i|they|the \w+|our \w+)\s+)?(?:already|currently|today|at the moment|so far|"
    "as of now|right now|even though|although|though|despite|no matter|we use|we run|"
    r"the app is|they already)\b",
    re.IGNORECASE,
)
"""A clause that says what there already is."""
AGAINST = re.compile(
    r"^(?:and |but |so )?(?:(?:please )?no\b(?! \w+ (?:may|can|must|should))|not\b|"
    r"nobody wants|without\b|instead of|rather than|don'?t want|we (?:refuse|don'?t|won'?t|"
    r"do not)|neither|nor\b|never\b|isn'?t|"
    r"[\w ]{1,24} (?:is|are) (?:ruled out|not an option|out of the question|no longer wanted)|i don'?t|they don'?t)",
    re.IGNORECASE,
)
"""A clause that says what must not be."""
SENTENCE = re.compile(r"(?<=[.!?;])\s+|\n+|(?<=\w)\s*[:–—]\s+|\s+-\s+")
"""Where one sentence ends and the next begins."""
WRAPPED = re.compile(r"(?<![.!?;:\n])\n(?!\n|(?:[-*•]|\w{1,2}[.)])\s)")
"""The end of a line within a sentence."""
CLAUSE = re.compile(
    r",\s+(?=\S+ \S+)|\s+(?=(?:and|but|while|so that|because|although|even though|whereas|yet|"
    r"then|until|unless|where|when|which|who|instead of|without|rather than)\s+\S+ \S+ \S+)",
    re.IGNORECASE,
)
"""Where one clause of a sentence ends and the next begins."""
