"""The command as a process: what it prints where, its exit codes, and what it says when something is wrong."""

import contextlib
import json
import os
import pty
import re
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest

from assistant.errors import BadRequest
from assistant.system.editor import command
from tests.command import PROGRAM, Command, Ran, run
from tests.waiting import PATIENCE

HOSTILE = "\x1b]52;c;aGk=\x07\x1b[31m\u202eevil\u009b"
RAW = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
NOTES = {
    "fruit.md": "# Fruit\n\n## Apple\n\nAn apple keeps for seven months in a cool cellar.\n\n## Pear\n\n"
    "A pear is best within a week of the harvest.\n\n```python\nripe = pear.press(thumb=True)\n```\n",
    "tools.md": "---\ntags: [garden]\n---\n# Tools\n\n## Ladder\n\n"
    "A ladder of four metres reaches the crown of an old tree.\n",
    f"bad{HOSTILE}.md": f"# Evil {HOSTILE}\n\n## Quince {HOSTILE}\n\n"
    f"A quince {HOSTILE} must be boiled before anyone eats it.\n",
}
Valid = Callable[[str], dict[str, object]]
"""The fixture that reads a line which must be what the contract says."""
APPLE = "How long does an apple keep in a cellar?"


@pytest.fixture(scope="session")
def built(surroundings: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Command:
    """Notes with a finished index, for tests that change neither."""
    made = Command(tmp_path_factory.mktemp("built"), surroundings)
    made.notes.mkdir()
    for name, text in NOTES.items():
        (made.notes / name).write_text(text)
    done = made.run("index")
    assert done.returncode == 0, done.stderr
    return made


@pytest.fixture
def own(built: Command, tmp_path: Path) -> Command:
    """The same, to be changed."""
    shutil.copytree(built.folder, tmp_path / "own", symlinks=True)
    return Command(tmp_path / "own", built.environment)


def error_of(record: dict[str, object]) -> str:
    error = record["error"]
    assert isinstance(error, dict)
    return str(error["code"])


# Answers


def test_an_answer_quotes_the_note_and_says_where(built: Command) -> None:
    done = built.run("ask", *APPLE.split())
    assert done.returncode == 0, done.stderr
    assert "seven months" in done.stdout
    assert "fruit.md:5" in done.stdout
    assert done.stderr == ""


def test_a_question_may_come_from_a_pipe(built: Command) -> None:
    for words in ((), ("-",)):
        assert "seven months" in built.run("ask", *words, stdin=f"\ufeff{APPLE}\n").stdout


def test_options_may_stand_before_and_behind_the_command(built: Command) -> None:
    places = built.words()[len(PROGRAM) :]
    assert "seven months" in run([*PROGRAM, "ask", APPLE, *places], built.environment).stdout


def test_json_is_one_object_of_the_contract(built: Command, valid: Valid) -> None:
    done = built.run("ask", "--json", "--explain", APPLE)
    record = valid(done.stdout)
    assert record["outcome"] == "answered"
    assert record["notes"] == str(built.notes)
    assert record["explain"]
    plain = built.run("ask", "--format", "json", APPLE)
    assert "explain" not in valid(plain.stdout)


def test_quickfix_lines_name_file_and_line(built: Command) -> None:
    done = built.run("ask", "--format", "quickfix", APPLE)
    assert done.stdout.startswith(f"{built.notes}/fruit.md:")
    assert all(re.fullmatch(r".+?:\d+: .*", line) for line in done.stdout.splitlines())


def test_what_the_notes_do_not_say_ends_with_1(built: Command, valid: Valid) -> None:
    done = built.run("ask", "--json", "zxqv wqxz?")
    record = valid(done.stdout)
    assert (done.returncode, record["outcome"]) == (1, "not_in_notes")
    assert record["hint"]


def test_under_and_tag_choose_before_ranking(built: Command, valid: Valid) -> None:
    for words, path in ((("--under", "Fruit > pear"), "fruit.md"), (("--tag", "Garden"), "tools.md")):
        record = valid(built.run("ask", "--json", *words, "how long is the ladder, the pear, the apple").stdout)
        assert isinstance(record["citations"], list)
        assert {cited["path"] for cited in record["citations"]} <= {path}


def test_a_heading_that_is_not_there_names_the_nearest(built: Command) -> None:
    done = built.run("ask", "--under", "Aple", APPLE)
    assert done.returncode == 2
    assert "Apple" in done.stderr


def test_limit_bounds_the_citations(built: Command, valid: Valid) -> None:
    citations = valid(built.run("ask", "--json", "--limit", "1", APPLE).stdout)["citations"]
    assert isinstance(citations, list)
    assert len(citations) == 1


# Wrong usage


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["ask", "--foo", "x"], "--foo"),
        (["ask", "--limit", "9", "x"], "--limit"),
        (["ask", "--limit"], "--limit"),
        (["ask", "--batch", "-", "x"], "--batch"),
        (["ask", "--batch", "nowhere.jsonl"], "nowhere.jsonl"),
        (["ask", "--json", "--format", "text", "x"], "--format"),
        (["ask", "--tag", "nothing", "x"], "nothing"),
        (["teach"], "teach"),
        (["--notes"], "--notes"),
    ],
)
def test_a_usage_error_is_one_sentence_with_the_next_step(built: Command, words: list[str], said: str) -> None:
    done = built.run(*words)
    assert done.returncode == 2
    assert (done.stdout == "") == ("--json" not in words and "--batch" not in words)
    assert said in done.stderr
    assert done.stderr.startswith("Error: ")
    assert done.stderr.count("\n") == 1


def test_a_usage_error_under_json_is_an_error_object_too(built: Command, valid: Valid) -> None:
    for words in (
        ["ask", "--json", "--foo"],
        ["ask", "--format=json", "--limit", "0", "x"],
        ["ask", "--batch", "nowhere"],
    ):
        done = built.run(*words)
        assert (done.returncode, error_of(valid(done.stdout))) == (2, "bad_request")


@pytest.mark.parametrize("question", ["", "  \n", "\x00\x1b\u202e" if os.name != "posix" else "\x1b\u202e\u200b"])
def test_nothing_to_ask_is_an_error(built: Command, valid: Valid, question: str) -> None:
    done = built.run("ask", "--json", question)
    assert (done.returncode, error_of(valid(done.stdout))) == (2, "empty_question")


def test_no_command_is_help_on_stderr(built: Command) -> None:
    done = built.run()
    assert (done.returncode, done.stdout) == (2, "")
    assert "ask" in done.stderr
    assert built.run("--help").returncode == 0


# Batches


def test_a_batch_answers_in_order_and_survives_a_bad_line(built: Command, valid: Valid) -> None:
    asked = [
        json.dumps({"id": "1", "question": APPLE}),
        "nonsense",
        json.dumps({"id": "3", "question": " "}),
        json.dumps({"id": "4", "question": "zxqv wqxz?"}),
        json.dumps({"id": 5, "question": "x"}),
        "",
        json.dumps({"question": f"What of the quince {HOSTILE} \ud800?"}),
        json.dumps({"id": "7", "question": "Which one keeps?", "options": {"B": "A pear", "A": "An apple"}}),
    ]
    done = built.run("ask", "--batch", "-", stdin="\n".join(asked))
    records = [valid(line) for line in done.stdout.splitlines()]
    assert done.returncode == 3
    assert [record["id"] for record in records] == ["1", None, "3", "4", None, None, "7"]
    assert [error_of(records[n]) for n in (1, 2, 4)] == ["bad_request", "empty_question", "bad_request"]
    options = records[6]["options"]
    assert isinstance(options, list)
    assert [option["label"] for option in options] == ["B", "A"]


def test_a_batch_of_answers_ends_with_0_whatever_their_outcome(built: Command, tmp_path: Path) -> None:
    (tmp_path / "questions.jsonl").write_text(f'{{"question": "{APPLE}"}}\n{{"question": "zxqv wqxz?"}}\n')
    done = built.run("ask", "--json", "--batch", str(tmp_path / "questions.jsonl"))
    assert (done.returncode, len(done.stdout.splitlines())) == (0, 2)


def test_each_answer_is_there_before_the_next_line_is_asked(own: Command) -> None:
    with subprocess.Popen(
        own.words("ask", "--batch", "-"),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env=own.environment,
        text=True,
    ) as child:
        assert child.stdin is not None
        assert child.stdout is not None
        for months in ("seven", "eleven"):
            child.stdin.write(json.dumps({"id": months, "question": APPLE}) + "\n")
            child.stdin.flush()
            record = json.loads(child.stdout.readline())
            assert record["id"] == months
            assert any(months in cited["quote"] for cited in record["citations"])
            text = (own.notes / "fruit.md").read_text()
            (own.notes / "fruit.md").write_text(text.replace("seven", "eleven"))
        child.stdin.close()
        assert child.wait(PATIENCE) == 0


# Streams


def test_a_reader_that_goes_away_ends_it_quietly(built: Command) -> None:
    for words in (["ask", APPLE], ["ask", "--batch", "-"], ["--help"]):
        child = subprocess.Popen(
            built.words(*words),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=built.environment,
        )
        assert child.stdin is not None
        assert child.stdout is not None
        assert child.stderr is not None
        child.stdout.close()
        with contextlib.suppress(BrokenPipeError):
            child.stdin.write(f'{{"question": "{APPLE}"}}\n'.encode() * 3)
            child.stdin.close()
        assert (child.wait(PATIENCE), child.stderr.read()) == (0, b"")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_a_full_disk_under_stdout_is_one_sentence(built: Command) -> None:
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(
            built.words("ask", APPLE), stdout=full, stderr=subprocess.PIPE, env=built.environment, check=False
        )
    assert done.returncode == 3
    assert done.stderr.decode().startswith("Error: The answer could not be written")
    assert done.stderr.count(b"\n") == 1


def test_ctrl_c_ends_it_with_130_and_no_traceback(built: Command) -> None:
    with subprocess.Popen(
        built.words("ask", "--batch", "-"),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=built.environment,
    ) as child:
        assert child.stdin is not None
        assert child.stdout is not None
        assert child.stderr is not None
        child.stdin.write(f'{{"question": "{APPLE}"}}\n'.encode())
        child.stdin.flush()
        assert child.stdout.readline()
        child.send_signal(signal.SIGINT)
        assert child.wait(PATIENCE) == 130
        assert child.stderr.read() == b""


def in_terminal(command: Command, *words: str) -> str:
    """What a terminal is sent by a run that has one for stdin, stdout and stderr."""
    pid, terminal = pty.fork()
    if pid == 0:
        os.execve(sys.executable, command.words(*words), command.environment)
    shown = b""
    while True:
        try:
            read = os.read(terminal, 65536)
        except OSError:
            break
        if not read:
            break
        shown += read
    os.close(terminal)
    os.waitpid(pid, 0)
    return shown.decode()


def test_nothing_that_others_wrote_reaches_a_terminal_raw(built: Command) -> None:
    question = f"Must a quince {HOSTILE} be boiled?"
    done = built.run("ask", question)
    assert "␛" in done.stdout
    assert not RAW.search(done.stdout + done.stderr)
    for words in (
        ["--under", f"{HOSTILE}no", question],
        ["--tag", HOSTILE, question],
        [f"--{HOSTILE}"],
        ["--batch", HOSTILE],
    ):
        done = built.run("ask", *words)
        assert done.returncode == 2
        assert not RAW.search(done.stdout + done.stderr)
    assert not RAW.search(built.run("--notes", HOSTILE, "ask", "x").stderr)
    assert not RAW.search(built.run(HOSTILE).stderr)


def test_a_terminal_gets_our_own_styles_and_links_only(built: Command) -> None:
    shown = in_terminal(built, "ask", f"Must a quince {HOSTILE} be boiled?")
    assert "\x1b]8;" in shown
    ours = re.sub(r"\x1b\[[0-9;]*[mK]|\x1b\]8;[^\x1b\x07]*(?:\x1b\\|\x07)|\r", "", shown)
    assert "boiled" in ours
    assert not RAW.search(ours)


def test_a_question_that_is_not_utf8_is_read(built: Command) -> None:
    done = run([*built.words("ask", "--json"), b"apple \xff keep"], built.environment)
    assert json.loads(done.stdout)["question"] == "apple \ufffd keep"


# Notes and index that cannot be used


def test_no_notes_is_one_sentence_and_3(built: Command, tmp_path: Path, valid: Valid) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "file").touch()
    for name in ("empty", "nowhere", "file"):
        done = built.run("--notes", str(tmp_path / name), "ask", "--json", "x")
        assert (done.returncode, error_of(valid(done.stdout))) == (3, "no_notes")
        assert "--notes" in done.stderr
    done = built.run(
        "--notes", str(tmp_path / "empty"), "ask", "--batch", "-", stdin='{"id": "a", "question": "x"}\n' * 2
    )
    assert done.returncode == 3
    assert [valid(line)["id"] for line in done.stdout.splitlines()] == ["a", "a"]


def test_notes_that_cannot_be_read_are_named_in_one_warning(own: Command) -> None:
    (own.notes / "latin.md").write_bytes(b"caf\xe9")
    os.mkfifo(own.notes / "pipe.md")
    for _ in range(2):
        done = own.run("ask", APPLE)
        assert done.returncode == 0
        assert done.stderr.count("\n") == 1
        assert "latin.md" in done.stderr
        assert "pipe.md" in done.stderr


def test_only_unreadable_notes_are_an_error(own: Command, valid: Valid) -> None:
    shutil.rmtree(own.notes)
    own.notes.mkdir()
    (own.notes / "latin.md").write_bytes(b"caf\xe9")
    done = own.run("ask", "--json", "x")
    assert (done.returncode, error_of(valid(done.stdout))) == (3, "unreadable_notes")


def test_a_model_that_is_not_there_is_one_sentence_and_3(built: Command, valid: Valid) -> None:
    done = built.run("--model", "./nowhere", "ask", "--json", "x")
    assert (done.returncode, error_of(valid(done.stdout))) == (3, "model_unusable")
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("damage", ["gone", "cut", "header", "faiss gone", "faiss cut"])
def test_a_damaged_index_is_rebuilt_with_one_warning(own: Command, damage: str) -> None:
    folder = own.folder / "index"
    database, (vectors,) = folder / "notes.sqlite", folder.glob("*.faiss")
    match damage:
        case "gone":
            database.unlink()
        case "cut":
            database.write_bytes(database.read_bytes()[: 3 * 4096])
        case "header":
            database.write_bytes(b"not a database at all" * 300)
        case "faiss gone":
            vectors.unlink()
        case _:
            vectors.write_bytes(vectors.read_bytes()[:-100])
    done = own.run("ask", APPLE)
    assert done.returncode == 0, done.stderr
    assert "seven months" in done.stdout
    assert done.stderr.count("Warning:") == (0 if damage == "gone" else 1), done.stderr
    assert own.run("ask", APPLE).stderr == ""


def as_nobody(command: Command, *words: str) -> Ran:
    """The command under a user who may write nothing but a cache of their own."""
    if os.getuid() != 0 or shutil.which("setpriv") is None:
        pytest.skip("needs root and setpriv, to become another user")
    user = ("setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups")
    if run([*user, sys.executable, "-P", "-c", "import click, assistant"], command.environment).returncode:
        pytest.skip("another user cannot read this checkout")
    return run([*user, *command.words(*words)], command.environment)


@pytest.fixture
def open_to_all(own: Command, surroundings: dict[str, str], tmp_path: Path) -> Command:
    """A folder that another user can read, with a cache that they can write."""
    folder = Path(tempfile.mkdtemp())
    shutil.copytree(own.folder, folder, dirs_exist_ok=True, symlinks=True)
    cache = folder / "cache" / "notes-assistant"
    cache.mkdir(parents=True)
    shutil.copytree(Path(surroundings["XDG_CACHE_HOME"], "notes-assistant", "models"), cache / "models")
    for path in (folder, *folder.rglob("*")):
        path.chmod(0o755 if path.is_dir() else 0o644)
    for path in (folder / "cache", *(folder / "cache").rglob("*")):
        os.chown(path, 65534, 65534)
    return Command(folder, {**surroundings, "XDG_CACHE_HOME": str(folder / "cache"), "HOME": "/nonexistent"})


def test_an_index_that_cannot_be_written_still_answers(open_to_all: Command) -> None:
    assert as_nobody(open_to_all, "ask", APPLE).stderr == ""
    (open_to_all.notes / "new.md").write_text("# New\n\nA medlar is eaten rotten.\n")
    done = as_nobody(open_to_all, "ask", "--json", APPLE)
    assert done.returncode == 0, done.stderr
    assert "cannot be written" in done.stderr
    assert json.loads(done.stdout)["index"]["stale"] is True
    insisted = as_nobody(open_to_all, "ask", "--refresh", APPLE)
    assert (insisted.returncode, insisted.stdout) == (3, "")
    shutil.rmtree(open_to_all.folder)


def test_an_index_that_cannot_be_made_is_made_in_the_cache(open_to_all: Command) -> None:
    shutil.rmtree(open_to_all.folder / "index")
    done = as_nobody(open_to_all, "ask", APPLE)
    assert "seven months" in done.stdout
    assert done.stderr.count("Warning:") == 1
    assert str(open_to_all.folder / "cache") in done.stderr
    again = as_nobody(open_to_all, "ask", APPLE)
    assert again.returncode == 0
    shutil.rmtree(open_to_all.folder / "cache")
    (open_to_all.folder / "cache").touch()
    shutil.rmtree(open_to_all.folder)


# Freshness


def test_edits_new_and_deleted_notes_are_seen_by_the_next_question(own: Command) -> None:
    text = (own.notes / "fruit.md").read_text()
    (own.notes / "fruit.md").write_text(text.replace("seven", "three"))  # the same size, within the same second
    assert "three months" in own.run("ask", APPLE).stdout
    (own.notes / "medlar.md").write_text("# Medlar\n\nA medlar is eaten when it is rotten.\n")
    assert "rotten" in own.run("ask", "When is a medlar eaten?").stdout
    (own.notes / "medlar.md").unlink()
    assert "rotten" not in own.run("ask", "When is a medlar eaten?").stdout


def test_no_refresh_takes_the_index_as_it_is_and_says_so(own: Command) -> None:
    text = (own.notes / "fruit.md").read_text()
    (own.notes / "fruit.md").write_text(text.replace("seven", "three"))
    record = json.loads(own.run("ask", "--json", "--no-refresh", APPLE).stdout)
    assert record["index"]["stale"] is True
    assert record["warnings"]
    stale = {cited["stale"] for cited in record["citations"] if "seven" in cited["quote"]}
    assert stale == {True}


def test_index_says_what_changed(own: Command) -> None:
    assert "unchanged" in own.run("index").stdout
    (own.notes / "medlar.md").write_text("# Medlar\n\nA medlar is eaten when it is rotten.\n")
    report = json.loads(own.run("index", "--json").stdout)
    assert (report["added"], report["changed"], report["removed"]) == (1, 0, 0)
    assert report["embedded"] >= 1
    assert json.loads(own.run("index", "--full", "--json").stdout)["embedded"] > report["embedded"]


# The editor


def test_open_starts_the_editor_at_the_line_without_a_shell(own: Command) -> None:
    script = own.folder / "my editor"
    script.write_text(
        f"#!{sys.executable}\nimport json, os, sys\n"
        f"json.dump([os.environ.get('OPENBLAS_NUM_THREADS'), *sys.argv[1:]], open({str(own.folder / 'seen')!r}, 'w'))\n"
    )
    script.chmod(0o755)
    done = own.run("ask", "--open", "1", APPLE, VISUAL=f"'{script}' '$(touch {own.folder}/hit)' ;")
    assert done.returncode == 0, done.stderr
    assert "seven months" in done.stdout
    threads, *seen = json.loads((own.folder / "seen").read_text())
    assert threads is None  # ours is not handed on
    assert seen == [f"$(touch {own.folder}/hit)", ";", seen[2], "--", str(own.notes / "fruit.md")]
    assert re.fullmatch(r"\+\d+", seen[2])
    assert not (own.folder / "hit").exists()


def test_open_says_what_is_wrong(built: Command) -> None:
    assert built.run("ask", "--open", "1", APPLE, EDITOR="no-such-editor").returncode == 2
    done = built.run("ask", "--limit", "1", "--open", "2", APPLE, EDITOR="true")
    assert done.returncode == 2
    assert "citation 2" in done.stderr


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("vim", ["+7", "--", "/n/a.md"]),
        ("nano", ["+7", "--", "/n/a.md"]),
        ("emacs", ["+7", "/n/a.md"]),
        ("code", ["-g", "/n/a.md:7"]),
        ("hx", ["/n/a.md:7"]),
        ("subl", ["/n/a.md:7"]),
        ("kate", ["-l", "7", "/n/a.md"]),
        ("unheard-of", ["+7", "--", "/n/a.md"]),
    ],
)
def test_each_editor_is_told_the_line_in_its_own_way(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, words: list[str]
) -> None:
    (tmp_path / name).touch(mode=0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert command(f"{name} --wait", Path("/n/a.md"), 7) == [name, "--wait", *words]


@pytest.mark.parametrize("editor", ["vi 'unclosed", "no-such-editor", ""])
def test_an_editor_that_is_none_is_an_error(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, editor: str) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(BadRequest, match="EDITOR"):
        command(editor, Path("/n/a.md"), 7)


def test_an_internal_error_is_one_sentence_unless_debugging(built: Command, tmp_path: Path) -> None:
    (tmp_path / "sitecustomize.py").write_text(
        "import assistant.text.sanitize\nassistant.text.sanitize.replace_surrogates = lambda text: 1 / 0\n"
    )
    path = f"{tmp_path}:{built.environment['PYTHONPATH']}"
    done = built.run("ask", APPLE, PYTHONPATH=path)
    assert done.returncode == 70
    assert "ASSISTANT_DEBUG" in done.stderr
    assert done.stderr.count("\n") == 1
    assert "Traceback" in built.run("ask", APPLE, PYTHONPATH=path, ASSISTANT_DEBUG="1").stderr


@pytest.mark.parametrize("library", ["onnxruntime", "faiss"])
def test_a_library_that_fails_in_a_thread_is_one_sentence(built: Command, tmp_path: Path, library: str) -> None:
    """No traceback of the thread beside it: the failure is raised where its result is wanted."""
    (tmp_path / f"{library}.py").write_text("raise ImportError('cannot open shared object file')\n")
    done = built.run("ask", APPLE, PYTHONPATH=f"{tmp_path}:{built.environment['PYTHONPATH']}")
    assert done.returncode == 3
    assert done.stderr.startswith("Error: A required library cannot be loaded (cannot open shared object file).")
    assert done.stderr.count("\n") == 1
