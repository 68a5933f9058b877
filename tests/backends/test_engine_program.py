"""A program of the user's own as engine: started, waited for, ended with the model; what is wrong with it is told."""

import stat
import sys

import pytest

from healgpt.backends import EngineOptions
from healgpt.backends.engine_program import EngineProgram, identity
from healgpt.backends.llamacpp import open_llama
from healgpt.errors import ConfigError, ModelError, ModelUnavailable
from healgpt.models import catalog

# stands in for llama-server: answers health checks, and the key only where it is asked with it
SERVER = """#!{python}
import http.server, os, sys
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200 if self.path == "/health" else 404)
        self.end_headers()
    def do_POST(self):
        right = self.headers["Authorization"] == "Bearer " + os.environ["LLAMA_API_KEY"]
        body = b'{{"tokens": [1], "prompt": "' + " ".join(sys.argv[1:]).replace(chr(34), "").encode() + b'"}}'
        self.send_response(200 if right else 401)
        self.end_headers()
        self.wfile.write(body if right else b"{{}}")
    def log_message(self, *_): pass
port = int(sys.argv[sys.argv.index("--port") + 1])
http.server.HTTPServer(("127.0.0.1", port), Handler).serve_forever()
"""


def program(folder, text):
    path = folder / "llama-server"
    path.write_text(text.format(python=sys.executable), encoding="utf-8")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return path


@pytest.mark.model
def test_a_model_is_opened_in_the_users_own_program(tmp_path, monkeypatch):
    entry = catalog.find("qwen2.5-coder-0.5b")
    if not catalog.installed(entry):
        pytest.skip("needs the 0.5B model: healgpt pull qwen2.5-coder-0.5b")
    model_path = catalog.path(entry)
    own = program(tmp_path, SERVER)
    monkeypatch.setenv("HEALGPT_HOME", str(tmp_path))
    (tmp_path / "config.toml").write_text(f'engine = "{own}"\nengine_flags = "-ngl 99"\n')
    model = open_llama(model_path, EngineOptions(slots=3, context=1024))
    asked = model.server.post("/apply-template", {})["prompt"]
    assert f"-m {model_path} -c 3072 -np 3" in asked
    assert "-ngl 99 --host 127.0.0.1" in asked
    model.close()
    with pytest.raises(ModelUnavailable):
        model.server.post("/tokenize", {})


def test_a_program_that_ends_at_once_is_told_with_its_last_words(tmp_path):
    dying = program(tmp_path, "#!{python}\nimport sys\nsys.exit('no CUDA device')\n")
    with pytest.raises(ModelError, match="no CUDA device"):
        EngineProgram(dying, [], "key")


def test_a_program_that_is_not_there_is_a_config_error(tmp_path):
    with pytest.raises(ConfigError, match=r"config\.toml"):
        EngineProgram(tmp_path / "missing", [], "key")
    with pytest.raises(ConfigError, match="engine"):
        identity(str(tmp_path / "missing"))


def test_another_build_has_another_identity(tmp_path):
    own = program(tmp_path, SERVER)
    first = identity(str(own))
    own.write_text("another build")
    assert identity(str(own)) != first
