import pytest

from healgpt.errors import ConfigError
from healgpt.settings import Settings, home, load_settings


def test_home_moves_with_the_variable(monkeypatch, tmp_path):
    monkeypatch.setenv("HEALGPT_HOME", str(tmp_path))
    assert home() == tmp_path
    assert load_settings() == Settings()


@pytest.mark.parametrize(
    ("text", "reason"),
    [("modle = 'x'", "model"), ("threads = 'x'", "int"), ("threads = true", "int"), ("= 3", "读不懂")],
)
def test_mistakes_are_named_with_the_mend(tmp_path, text, reason):
    path = tmp_path / "config.toml"
    path.write_text(text)
    with pytest.raises(ConfigError, match=reason):
        load_settings(path)


def test_a_whole_number_is_a_fine_temperature(tmp_path):
    path = tmp_path / "config.toml"
    path.write_text("temperature = 0\nslots = 4")
    assert load_settings(path) == Settings(temperature=0.0, slots=4)
