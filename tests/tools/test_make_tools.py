"""`make tools` where a program that it needs itself is missing."""

import shutil
import subprocess
from pathlib import Path

import pytest

from stack.layout import REPO

NEEDED = {"helm": "Go 1.24 or newer is needed", "schemas": "npm is needed: apt-get install npm"}


@pytest.mark.parametrize("what", NEEDED)
def test_a_missing_program_is_named_with_how_to_install_it(tmp_path: Path, what: str) -> None:
    programs = tmp_path / "bin"
    programs.mkdir()
    for name in ("bash", "make", "mkdir", "touch", "python3"):
        (programs / name).symlink_to(shutil.which(name) or pytest.fail(f"{name} is not there"))
    [stamp] = [each for each in stamps(tmp_path) if each.name.startswith(what)]
    env = {"PATH": str(programs), "HOME": str(tmp_path), "TOOLS": str(tmp_path / "tools")}
    done = subprocess.run(
        [programs / "make", "-s", stamp], cwd=REPO, env=env, capture_output=True, text=True, check=False
    )
    assert done.returncode != 0
    assert NEEDED[what] in done.stderr
    assert not stamp.exists()


def stamps(home: Path) -> list[Path]:
    """What `make tools` makes, as the Makefile names it."""
    asked = [
        "make",
        "-s",
        "-C",
        str(REPO),
        "--eval=shown: ; @echo $(HAVE)/helm-$(HELM) $(HAVE)/schemas-$(KEDA)-$(OPERATOR)",
    ]
    told = subprocess.run(
        [*asked, "shown", f"TOOLS={home / 'tools'}"], capture_output=True, text=True, check=True
    ).stdout
    return [Path(each) for each in told.split()]
