from pathlib import Path

import pytest

from healgpt.errors import ConfigError, DataError
from healgpt.models import catalog


@pytest.fixture(autouse=True)
def _home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HEALGPT_HOME", str(tmp_path))


def tiny(**fields: object) -> catalog.Entry:
    shape = {"kind": "gguf", "title": "t", "licence": "MIT", "languages": ["zh"], "file": "tiny.gguf", "size": 3}
    return catalog.parse("tiny", {**shape, **fields})


def test_every_file_that_can_be_pulled_is_pinned_by_size_and_sha256() -> None:
    for entry in catalog.entries():
        if entry.base or entry.kind == "hf":
            continue
        assert entry.size > 0, entry.name
        assert len(bytes.fromhex(entry.sha256)) == 32, entry.name
        assert entry.wheels or entry.archive, entry.name
        if entry.wheels:
            parts = len(entry.wheels.sha256)
            assert (parts - 1) * entry.wheels.part_size < entry.size <= parts * entry.wheels.part_size
            assert {len(bytes.fromhex(one)) for one in entry.wheels.sha256} == {32}


def test_the_default_model_is_listed_first_and_leads_to_a_file() -> None:
    first = catalog.entries()[0]
    assert first.name == "healgpt-mini"
    assert catalog.path(first) == catalog.path(catalog.find(first.base))
    assert catalog.path(first).suffix == ".gguf"


def test_an_unknown_name_is_answered_with_the_nearest() -> None:
    with pytest.raises(ConfigError, match=r"qwen2\.5-coder-0\.5b"):
        catalog.find("qwen2.5-coder-0.5")
    with pytest.raises(ConfigError, match="healgpt-mini"):
        catalog.find("???")
    assert catalog.find("HealGPT-Mini").name == "healgpt-mini"


def test_a_misspelt_field_of_the_catalogue_is_refused() -> None:
    with pytest.raises(TypeError, match="sise"):
        tiny(sise=4)


def test_the_cache_moves_with_the_home(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HEALGPT_HOME", str(tmp_path / "elsewhere"))
    assert catalog.path(catalog.find("cmekg")).is_relative_to(tmp_path / "elsewhere")


def test_a_file_short_of_one_byte_is_not_installed_and_the_error_says_what_to_do() -> None:
    entry = tiny(sha256="ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")
    place = catalog.path(entry)
    with pytest.raises(DataError, match="healgpt pull tiny"):
        catalog.verify(entry)
    place.parent.mkdir(parents=True)
    place.write_bytes(b"ab")
    assert not catalog.installed(entry)
    with pytest.raises(DataError, match="应为 3 字节，实际 2 字节"):
        catalog.verify(entry)
    place.write_bytes(b"abc")
    assert catalog.installed(entry)
    assert catalog.verify(entry, full=True) == place
    place.write_bytes(b"abd")
    assert catalog.verify(entry) == place
    with pytest.raises(DataError, match="SHA-256"):
        catalog.verify(entry, full=True)


def test_a_hugging_face_folder_counts_once_it_holds_a_config() -> None:
    entry = catalog.find("disc-medllm")
    assert not catalog.installed(entry)
    with pytest.raises(DataError, match=r"config\.json"):
        catalog.verify(entry)
    catalog.path(entry).mkdir(parents=True)
    (catalog.path(entry) / "config.json").write_text("{}")
    assert catalog.installed(entry)


def test_memory_grows_with_the_context_by_its_keys_and_values() -> None:
    entry = catalog.find("qwen2.5-coder-0.5b")
    small, large = (catalog.memory_bytes(entry, context=context) for context in (4096, 8192))
    assert large - small == 4096 * 2 * 24 * 2 * 64 * 2
    assert small > entry.size
    assert catalog.memory_bytes(catalog.find("cmekg")) == 0
