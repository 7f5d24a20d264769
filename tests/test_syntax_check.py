"""Which fences are flagged, on which line, and which are let be."""

import re
import tarfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistant.notes import folder, languages, markdown, syntax_check
from assistant.notes.identifiers import identifiers
from assistant.records import LineNumber

ONE = LineNumber(1)
FENCE = re.compile(r"^```(\S*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def _fences(note: Path) -> Iterator[tuple[str, str, LineNumber]]:
    """Info string, content and the line the content begins at, of a note whose fences are all at the margin."""
    text = note.read_text(encoding="utf-8")
    for match in FENCE.finditer(text):
        yield match[1], match[2], LineNumber(text.count("\n", 0, match.start(2)) + 1)


@pytest.mark.parametrize(
    ("info", "name"),
    [
        ("", ""),
        ("python", "python"),
        ("Py", "python"),
        ("{.python .numberLines}", "python"),
        ("{ .yaml .annotate }", "yaml"),
        ("yml", "yaml"),
        ("tf", "terraform"),
        ("hcl", "terraform"),
        ("console", "bash"),
        ("sh", "bash"),
        ("js:app.js", "javascript"),
        ('yaml title="a b" hl_lines="1 2"', "yaml"),
        ("rust,no_run", "rust"),
        ("c++", "cpp"),
        ("language-go", "go"),
        ("{#id .json}", "json"),
        ("{linenos=true}", ""),
        ("Jsonata", "jsonata"),
    ],
)
def test_language(info: str, name: str) -> None:
    """The first word of the info string, under its usual name."""
    assert languages.language(info) == name


MISTAKES = [
    ("yaml", "apiVersion: v1\nkind:VirtualService\nmetadata:\n  name: x\n", 2),
    ("yaml", "kind:VirtualService\nmetadata:\n  name: x\n", 1),
    ("yaml", "a: b\n---\nspec:\n  replicas 3\n  template:\n    x: y\n", 4),
    ("yaml", "l:\n- name:foo\n  image: bar\n", 2),
    ("yaml", "metadata:app\n  name: x\n", 1),
    ("yaml", "a: 'x\x85y'\nb: c\n  d: e\n", 3),  # a line end for YAML, and none of the note's
    ("yaml", "a: b\nc: [1, 2\u2028]\n  d: e\n", 3),
    ("yaml", "a: b\n  c: d\n", 2),
    ("yaml", 'a: "x\nb: c\nd: e\n', 1),
    ("yaml", "a: [1, 2\nb: c\n", 1),
    ("yaml", 'args: [\n  "a"\n  "b"\n]\n', 3),
    ("yaml", "a:\n\tb: c\n", 2),
    ("yaml", "a: b\nc: \x07\n", 2),
    ("json", '{\n  "a": 1,\n}\n', 3),
    ("python", "x = 1\ny = (2,\n  3\n", 2),
    ("python", "def f():\nx = 1\n", 2),
    ("python", 'print "x"\n', 1),
    ("terraform", 'resource "a" "b" {\n  x = 1\n  y =\n}\n', 3),
    ("hcl", 'module "m" {\n  version = "~>"2.0.0"\n}\n', 2),
    ("terraform", "x = {\n  a = 1\n}\nlist = [1, 2\ny = 3\n", 4),
    ("terraform", 'a = 1\nresource "a" "b" {\n  x = 1\n', 2),
    ("terraform", 'a = 1\nresource "a" "b" {\n  x = "one\n  y = 2\n}\n', 3),
    ("terraform", "locals {\n  a = 1\n  b = 2,\n  c = 3\n}\n", 3),
    ("terraform", 'a = 1\nresource "a" "b"\n  x = 1\n}\n', 2),
    ("terraform", "a = 1\n}\n", 2),
    ("terraform", "x {\n  a == 1\n}\n", 2),
    ("terraform", "x = <<EOF\nnever closed\n", 1),
    ("bash", "ls\n\nif [ -f x ]; then\n  echo hi\n", 3),
    ("bash", 'ls a\necho "x\nls b\n', 2),
    ("bash", "ls\nfor i in 1 2; do\n  echo $i\n", 2),
    ("bash", "a() {\n  if x; then\n    y\n}\nls\n", 2),
]


@pytest.mark.parametrize(("info", "code", "line"), MISTAKES)
def test_the_line_is_that_of_the_mistake(info: str, code: str, line: int) -> None:
    """Not the one on which a parser noticed; counted from the fence's first line in the note."""
    found = syntax_check.problems(code, info, LineNumber(101))
    assert found is not None
    assert [problem.line for problem in found] == [100 + line]


def test_a_line_in_a_message_is_the_note_s() -> None:
    """Parsers count from the fence's first line; a reader does not."""
    found = syntax_check.problems("def f():\nx = 1\n", "python", LineNumber(101))
    assert found is not None
    assert found[0].message == "expected an indented block after function definition on line 101"


SOUND = [
    ("yaml", "a: b\n---\n# second\na: b\na: again\n"),
    ("yaml", "  - a: !Ref b\n    c: &x [1]\n    d: *x\n"),
    ("json", '{"a": [1, 2.5, null]}'),
    ("python", "    return await x()\n"),
    ("python", "async for y in z:\n    await y\n"),
    (
        "terraform",
        'variable "x" {\n  type = list(object({ a = string }))\n}\n\n# end\nx = [for s in y : upper(s) if s != ""]\n',
    ),
    ("terraform", "resource a b {\n  user_data = <<-EOF\n    echo ${var.x}\n  EOF\n}\n"),
    (
        "terraform",
        'a {\n  x = "${a.b}-${f("c")}%{ if d }e%{ endif }"\n  y = a[*].b\n  z = a.0 ? -1 : { "k" : null }\n}\n',
    ),
    ("terraform", "x = {for k, v in y : k => v... if v} // why\r\ny = provider::a::b(1) /* so */\r\n"),
    ("bash", "cat <<EOF | kubectl apply -f -\nkind: X\nEOF\n"),
    ("bash", 'curl -d \'{"a":\n {"b": 1}}\' x \\\n  --flag \\\n'),
    ("bash", 'x=$(ls "a?b=c&d=e") && [[ $x == b* ]] || { exit 1; }\n'),
]


@pytest.mark.parametrize(("info", "code"), SOUND)
def test_sound_code_is_checked_and_not_flagged(info: str, code: str) -> None:
    """() says that it was checked."""
    assert syntax_check.problems(code, info, ONE) == ()


UNCHECKED = [
    ("", "a: b: c"),
    ("ruby", "def"),
    ("yaml", "name: <your name>\nx: y: z\n"),
    ("yaml", "name: {{ .Values.name }}\n"),
    ("yaml", "a: b: c\n  ...\n"),
    ("yaml", "a: [...]\nb: c: d\n"),
    ("yaml", "kubectl apply -f - <<EOF\na: b\nEOF\n"),
    ("yaml", "    cut: from\n  the: middle\n"),
    ("json", '{\n  // why\n  "a": 1\n}\n'),
    ("json", '{"a": …\n}'),
    ("python", ">>> f(\n"),
    ("python", "!pip install x\n"),
    ("python", "def handler(event):\n    # your code\n"),
    ("terraform", "terraform init\nterraform apply\n"),
    ("bash", "$ ls (\n"),
    ("bash", "me@host:~/x$ ls (\n"),
    ("bash", "kubectl get pods\nNAME    READY   STATUS\na-1     1/1     Running (1h)\n"),
    ("console", "ls (\n"),
    ("bash", "--8<-- 'x.sh'\n(\n"),
    ("python", "x = 1\n" * 5000),
    ("yaml", "[" * 100),
    ("json", '{"a": "' + "b" * 3000),
]


@pytest.mark.parametrize(("info", "code"), UNCHECKED)
def test_what_cannot_be_judged_is_not_checked(info: str, code: str) -> None:
    """No parser, placeholders, prompts, output, fragments, beyond a limit: None, not ()."""
    assert syntax_check.problems(code, info, ONE) is None


def test_the_shipped_notes_have_one_mistake(root: Path) -> None:
    """`kind:VirtualService` is on line 477; every other fence in a language with a parser is checked and sound."""
    found = {
        first: syntax_check.problems(code, info, first)
        for info, code, first in _fences(root / "corpus" / "application-deployment-and-integration.md")
        if info
    }
    assert len(found) == 23
    flagged = {first: problems for first, problems in found.items() if problems != ()}
    assert list(flagged) == [476]
    (problem,) = flagged[LineNumber(476)] or ()
    assert problem.line == 477


def test_no_fence_of_the_other_notes_is_flagged(shared: Path) -> None:
    """They were looked at: none has a mistake."""
    fences = [fence for note in sorted((shared / "eval" / "exam" / "notes").rglob("*.md")) for fence in _fences(note)]
    assert len(fences) > 150
    assert [first for info, code, first in fences if syntax_check.problems(code, info, first)] == []


def test_few_fences_of_many_notes_are_flagged(shared: Path, tmp_path: Path) -> None:
    """Of 399 notes by many hands: the five were looked at, and each is a mistake."""
    with tarfile.open(shared / "corpora" / "knative-docs.tar.gz") as archive:
        archive.extractall(tmp_path, filter="data")
    found = [
        (note.name, block.info, problems)
        for note in sorted(tmp_path.rglob("*.md"))
        for section in markdown.outline(folder.read(note.parent, note.name)).sections
        for block in section.blocks
        if block.kind == "fence" and block.body
        if (problems := syntax_check.problems(block.plain, block.info, block.body[0])) is not None
    ]
    assert len(found) > 1000
    assert [(name, info, problems[0].line) for name, info, problems in found if problems] == [
        ("Knative-Serving-WebSockets.md", "bash", 156),
        ("getting-started-blog-p3.md", "yaml", 108),
        ("llm-agents-overview.md", "json", 67),
        ("create-sequence-to-streamline-ML-workflows.md", "yaml", 193),
        ("configuring-serving-cr.md", "terraform", 271),
    ]


INFOS = st.sampled_from(["python", "yaml", "json", "terraform", "bash", "console", "go", ""])
CODE = st.text(st.characters(exclude_categories=[]), max_size=80) | st.lists(
    st.sampled_from([*"abx \n\t:-#'\"`$(){}[]<>=&*!|\\", "if ", "do\n", "  ", "<<E\n", ": ", "- ", "\ud800", "\x00"])
).map("".join)


@given(CODE, INFOS, st.integers(1, 1000))
def test_any_code_gets_an_answer(code: str, info: str, first: int) -> None:
    """Never an exception, and a line inside the fence."""
    rows = max(len(code.rstrip("\n").split("\n")), 1)
    for problem in syntax_check.problems(code, info, LineNumber(first)) or ():
        assert first <= problem.line < first + rows
        assert problem.message
    assert all(name and 0 <= row <= code.count("\n") for name, row in identifiers(code, info))


@pytest.mark.parametrize("info", ["python", "yaml", "json", "terraform", "bash"])
@pytest.mark.parametrize(
    "unit",
    ["(", "[", "{", "- ", "a: ", "a|", "${", "%{", '"${', "<<A\n", "x = <<", "-", "'", "if x:\n ", "x = ", "a.", "{{"],
)
def test_hostile_code_is_answered(info: str, unit: str) -> None:
    """A fence full of one opening thing, in one line and in many: the run ends soon, or this test hangs."""
    whole = (unit * syntax_check.LIMIT)[: syntax_check.LIMIT]
    for code in (whole, "\n".join(whole[at : at + 40] for at in range(0, len(whole) - 300, 40))):
        syntax_check.problems(code, info, ONE)
        identifiers(code, info)


@pytest.mark.parametrize(
    ("info", "code", "names"),
    [
        (
            "yaml",
            "a: b\nkind: VirtualService\n---\n- kind: 'Gateway'\nkind:Typo",
            [("VirtualService", 1), ("Gateway", 3), ("Typo", 4)],
        ),
        ("json", '{"kind": "Deployment"}', [("Deployment", 0)]),
        ("yaml", "  maxSurge: 2        # above desired\n  other: 3", [("maxSurge", 0)]),
        ("python", "f(\n    # type='A'  # first\n    b=1,  # second\n)", [("type", 1), ("b", 2)]),
        ("terraform", 'resource "a_b" "c" {}\ndata "d_e" "f" {}\nmodule "vpc" {', [("a_b", 0), ("d_e", 1), ("vpc", 2)]),
        ("python", "from a.b import C, d as e\nimport os.path", [("C", 0), ("d", 0), ("os.path", 1)]),
        (
            "python",
            "class Foo(Bar):\n    async def go(self):\n        return Baz(x).y()",
            [("Foo", 0), ("go", 1), ("Baz", 2)],
        ),
        ("python", "pool = lib.SessionPool(\n)", [("SessionPool", 0)]),
        ("go", "func (s *Server) Start(ctx Context) error {\ntype Job struct {", [("Start", 0), ("Job", 1)]),
        ("java", "var x = new a.Client();\nClient.of(1)", [("Client", 0), ("Client", 1)]),
        ("js", "import { A, b } from 'c'", [("A", 0), ("b", 0)]),
        (
            "bash",
            "sudo kubectl rollout undo deployment/app\nls -l\ndeploy() {",
            [("kubectl rollout undo", 0), ("deploy", 2)],
        ),
        ("text", "kubectl rollout undo", []),
        ("python", "# Foo(1) def x()", []),
    ],
)
def test_names(info: str, code: str, names: list[tuple[str, int]]) -> None:
    """Kinds, classes, functions, imports, resource types, commented keys and commands, each with its row."""
    assert list(identifiers(code, info)) == names
