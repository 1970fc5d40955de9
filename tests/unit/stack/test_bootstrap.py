from __future__ import annotations

from stack.bootstrap import LOCK, pip_options, uv_environment, uv_requirement

LISTING = """\
:env:.cert='/etc/own.pem'
global.cert='/etc/global.pem'
global.index-url='https://mirror.test/simple'
global.extra-index-url='\\nhttps://one.test/simple\\nhttps://two.test/simple'
install.find-links='/a /b'
"""


def test_pips_settings_reach_uv_in_its_words() -> None:
    environ = uv_environment(pip_options(LISTING), {"HOME": "/proc/no-home"})
    assert environ["UV_DEFAULT_INDEX"] == "https://mirror.test/simple"
    assert environ["UV_INDEX"] == "https://one.test/simple https://two.test/simple"
    assert environ["UV_FIND_LINKS"] == "/a,/b"
    assert environ["SSL_CERT_FILE"] == "/etc/own.pem"
    assert environ["UV_CACHE_DIR"].endswith(".local/cache/uv")


def test_what_is_set_for_uv_stays() -> None:
    given = {"UV_DEFAULT_INDEX": "https://own.test/simple", "HOME": "/"}
    assert uv_environment(pip_options(LISTING), given)["UV_DEFAULT_INDEX"] == "https://own.test/simple"


def test_no_settings_name_no_index() -> None:
    environ = uv_environment(pip_options(""), {})
    assert not {"UV_DEFAULT_INDEX", "UV_INDEX", "SSL_CERT_FILE"} & environ.keys()


def test_the_lock_pins_uv_with_hashes() -> None:
    requirement = uv_requirement(LOCK.read_text())
    assert requirement.startswith("uv==")
    assert "--hash=sha256:" in requirement
    assert requirement.count("==") == 1
