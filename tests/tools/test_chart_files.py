"""Catalogs and policies go through the chart whole."""

import re
from pathlib import Path

import pytest

from processor.catalog_file import Secrets, load_catalog
from processor.codec.schema_files import SchemaFiles
from processor.policy_file import load_policy
from stack.layout import REPO
from tests.tools.chart import NAME, Rendered, render

DEMO = REPO / "demo"


@pytest.mark.parametrize("name", ["small", "secured"])
def test_the_catalogs_of_the_examples_can_be_used(
    helm: str, name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    catalog = load_catalog(_written(render(helm, name), tmp_path), SchemaFiles().object, Secrets.LEFT_OUT)
    for variable in re.findall(r"\$\{(\w+)\}", "".join(d.dsn for d in catalog.districts.values())):
        monkeypatch.setenv(variable, "host=db")
    load_catalog(tmp_path / "catalog.yaml", SchemaFiles().object, Secrets.NEEDED)


def test_the_policy_of_the_example_fits_its_catalog(secured: Rendered, tmp_path: Path) -> None:
    catalog = load_catalog(_written(secured, tmp_path), SchemaFiles().object, Secrets.LEFT_OUT)
    [text] = {each["data"]["policy.yaml"] for each in secured.of("ConfigMap") if "policy.yaml" in each["data"]}
    (tmp_path / "policy.yaml").write_text(text)
    policy = load_policy(tmp_path / "policy.yaml", catalog)
    assert set(policy.topics) == {"resync.requests"}


def test_the_demo_s_catalog_goes_through_whole(helm: str, tmp_path: Path) -> None:
    files = [f"--set-file=catalog.text={DEMO / 'catalog.yaml'}"]
    files += [
        rf"--set-file=catalog.crosswalks.{name}\.csv={DEMO / 'crosswalks' / name}.csv"
        for name in ("gender", "grade", "race_ethnicity")
    ]
    rendered = render(helm, "small", {"catalog": {"text": ""}}, *files)
    catalog = load_catalog(_written(rendered, tmp_path), SchemaFiles().object, Secrets.LEFT_OUT)
    assert catalog == load_catalog(DEMO / "catalog.yaml", SchemaFiles().object, Secrets.LEFT_OUT)


def _written(rendered: Rendered, folder: Path) -> Path:
    """As the pods see it; the setup's copy must be the same."""
    for kind, place in (("catalog", folder), ("crosswalks", folder / "crosswalks")):
        maps = [each for each in rendered.of("ConfigMap") if each["metadata"]["name"].startswith(f"{NAME}-{kind}")]
        place.mkdir(exist_ok=True)
        for name, text in maps[0]["data"].items() if maps else ():
            (place / name).write_text(text)
        assert all(each["data"] == maps[0]["data"] for each in maps)
    return folder / "catalog.yaml"


def test_the_page_on_deploying_makes_the_namespace_before_anything_in_it() -> None:
    page = (REPO / "docs" / "deploying.md").read_text(encoding="utf-8")
    blocks = re.findall(r"```sh\n(.*?)```", page, re.DOTALL)
    first, *others = [line for block in blocks for line in block.splitlines() if "kubectl" in line or "helm" in line]
    assert first == "kubectl create namespace resync"
    assert others
    assert not [line for line in others if "-namespace" in line]
