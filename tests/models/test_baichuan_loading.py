"""Original checkpoint folders load as they are, run no code of theirs, and say what is wrong with them."""

import json
import pickle
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from baichuan_samples import original_config, original_weights, write_folder, write_sentencepiece, write_weights

pytest.importorskip("torch")
import torch
from transformers import AutoConfig, AutoModel, AutoModelForCausalLM, AutoTokenizer

from healgpt.errors import ModelError
from healgpt.models.baichuan import register
from healgpt.models.baichuan.configuration_baichuan import BaichuanConfig
from healgpt.models.baichuan.modeling_baichuan import BaichuanForCausalLM
from healgpt.models.chat import prompt_ids
from healgpt.models.checkpoint import check, load, tensors

IDS = torch.tensor([[1, 195, 300, 301, 415, 196]])
SNIPPET = """
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer
from transformers.generation.utils import GenerationConfig
tokenizer = AutoTokenizer.from_pretrained(FOLDER, use_fast=False, trust_remote_code=True)
model = AutoModelForCausalLM.from_pretrained(FOLDER, device_map="auto", torch_dtype=torch.float16, \
                                             trust_remote_code=True)
model.generation_config = GenerationConfig.from_pretrained(FOLDER)
messages = []
messages.append({"role": "user", "content": "我感觉自己颈椎非常不舒服，每天睡醒都会头痛"})
response = model.chat(tokenizer, messages)
print(response)
"""


@pytest.fixture(scope="module", autouse=True)
def family() -> None:
    register()
    register()


@pytest.fixture(scope="module")
def spm(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("spm") / "tokenizer.model"
    write_sentencepiece(path)
    return path


@pytest.mark.parametrize(
    ("kind", "place", "norm_head"),
    [("7b", "rope", False), ("13b", "alibi", False), ("2-7b", "rope", True), ("2-13b", "alibi", True)],
)
def test_published_configurations_are_told_apart(kind: str, place: str, norm_head: bool) -> None:
    sizes = {"hidden_size": 4096} if kind.endswith("7b") else {"hidden_size": 5120, "num_attention_heads": 40}
    config = BaichuanConfig(**original_config(kind, **{"num_attention_heads": 32} | sizes))
    assert (config.position_embedding, config.norm_head) == (place, norm_head)
    assert config.model_max_length == config.max_position_embeddings == 256
    again = BaichuanConfig(**config.to_dict())
    assert (again.position_embedding, again.norm_head) == (place, norm_head)


def test_vocabulary_of_baichuan2_alone_means_a_norm_head() -> None:
    assert BaichuanConfig(vocab_size=125_696).norm_head
    assert not BaichuanConfig(vocab_size=64_000).norm_head


@pytest.mark.parametrize(
    ("changes", "message"),
    [({"num_attention_heads": 7}, "整除"), ({"position_embedding": "sinus"}, "sinus"), ({"hidden_size": 60}, "偶数")],
)
def test_impossible_shapes_are_refused(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        BaichuanConfig(**original_config("7b", **changes))


@pytest.mark.parametrize("form", ["safetensors", "bin", "safetensors-sharded", "bin-sharded"])
@pytest.mark.parametrize("kind", ["7b", "2-13b"])
@pytest.mark.parametrize("trust", [True, None])
def test_every_published_form_loads_without_remote_code(
    kind: str, form: str, trust: bool | None, spm: Path, tmp_path: Path
) -> None:
    config = original_config(kind, hidden_size=48)
    folder = write_folder(tmp_path / "model", config, form=form, tokenizer=spm)
    check(folder)
    assert AutoConfig.from_pretrained(folder, trust_remote_code=trust).model_type == "baichuan"
    tokenizer = AutoTokenizer.from_pretrained(folder, use_fast=False, trust_remote_code=trust)
    assert tokenizer.decode(tokenizer.encode("反复咳嗽 3 个月")) == "反复咳嗽 3 个月"
    model = AutoModelForCausalLM.from_pretrained(folder, trust_remote_code=trust, device_map="auto")
    for name, tensor in original_weights(config).items():
        assert torch.equal(model.state_dict()[name], tensor)
    assert isinstance(model, BaichuanForCausalLM)
    assert model.generation_config.user_token_id == 195


def test_template_of_a_published_folder_ends_turns(spm: Path, tmp_path: Path) -> None:
    folder = write_folder(tmp_path / "model", original_config("13b"), tokenizer=spm)
    opened = load(folder)
    turns = [("user", "头痛"), ("assistant", "多久了"), ("user", "三天")]
    talk = [{"role": role, "content": text} for role, text in turns]
    ids = opened.tokenizer.apply_chat_template(talk, add_generation_prompt=True)["input_ids"]
    assert ids == prompt_ids(opened.model, opened.tokenizer, talk)


def test_old_buffers_are_no_surplus(tmp_path: Path) -> None:
    config = original_config("7b")
    folder = write_folder(tmp_path, config)
    weights = original_weights(config) | {"model.layers.0.self_attn.rotary_emb.inv_freq": torch.ones(2)}
    write_weights(folder, weights, "safetensors")
    check(folder)
    AutoModelForCausalLM.from_pretrained(folder)


@pytest.mark.parametrize("kind", ["7b", "13b", "2-7b", "2-13b"])
def test_loaded_model_has_the_logits_of_one_that_was_built(kind: str, tmp_path: Path) -> None:
    described = original_config(kind)
    built = BaichuanForCausalLM(BaichuanConfig(**described)).eval()
    built.load_state_dict(original_weights(described))
    folder = write_folder(tmp_path, described)
    loaded = AutoModelForCausalLM.from_pretrained(folder)
    with torch.no_grad():
        assert torch.equal(loaded(IDS).logits, built(IDS).logits)
        body = AutoModel.from_pretrained(folder)(IDS).last_hidden_state
        assert torch.equal(built.lm_head(body), built(IDS).logits)


def test_adapter_folder_opens_its_base(tmp_path: Path) -> None:
    peft = pytest.importorskip("peft")
    base = write_folder(tmp_path / "base", original_config("13b"))
    recipe = peft.LoraConfig(r=2, target_modules=["W_pack"], init_lora_weights=False, task_type="CAUSAL_LM")
    tuned = peft.get_peft_model(AutoModelForCausalLM.from_pretrained(base), recipe)
    tuned.save_pretrained(tmp_path / "adapter")
    opened = AutoModelForCausalLM.from_pretrained(tmp_path / "adapter")
    with torch.no_grad():
        assert torch.allclose(opened(IDS).logits, tuned.eval()(IDS).logits, atol=1e-5)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32])
def test_precision_is_chosen_at_loading(dtype: torch.dtype, tmp_path: Path) -> None:
    folder = write_folder(tmp_path, original_config("13b"))
    model = AutoModelForCausalLM.from_pretrained(folder, dtype=dtype)
    assert {weight.dtype for weight in model.parameters()} == {dtype}


def test_layers_on_disk_give_the_same_logits(tmp_path: Path) -> None:
    folder = write_folder(tmp_path / "model", original_config("2-13b"))
    whole = AutoModelForCausalLM.from_pretrained(folder).eval()
    places = {"model.embed_tokens": "cpu", "model.layers.0": "cpu", "model.layers.1": "disk", "model.layers.2": "disk"}
    places |= {"model.norm": "cpu", "lm_head": "disk"}
    split = AutoModelForCausalLM.from_pretrained(folder, device_map=places, offload_folder=tmp_path / "offload").eval()
    with torch.no_grad():
        assert torch.allclose(split(IDS).logits, whole(IDS).logits, atol=1e-5)


def test_saved_model_is_plain_and_complete(spm: Path, tmp_path: Path) -> None:
    folder = write_folder(tmp_path / "model", original_config("2-13b"), tokenizer=spm)
    opened = load(folder, dtype=torch.float32)
    opened.model.save_pretrained(tmp_path / "saved")
    opened.tokenizer.save_pretrained(tmp_path / "saved")
    again = load(tmp_path / "saved")
    assert again.model.config.norm_head
    with torch.no_grad():
        assert torch.equal(again.model(IDS).logits, opened.model(IDS).logits)
    for name in (tmp_path / "saved").glob("*.json"):
        assert str(tmp_path) not in name.read_text(encoding="utf-8")


def test_published_snippet_runs_where_only_transformers_is_installed(spm: Path, tmp_path: Path) -> None:
    opened = load(write_folder(tmp_path / "model", original_config("13b"), tokenizer=spm))
    opened.model.save_pretrained(tmp_path / "saved")
    opened.tokenizer.save_pretrained(tmp_path / "saved")
    said = opened.model.half().chat(
        opened.tokenizer, [{"role": "user", "content": "我感觉自己颈椎非常不舒服，每天睡醒都会头痛"}]
    )
    without = "import sys\nsys.modules['healgpt'] = None\n"
    program = without + SNIPPET.replace("FOLDER", repr(str(tmp_path / "saved")))
    run = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        check=False,
        env={"PATH": "", "HF_HOME": str(tmp_path / "home"), "HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": "1"},
    )
    assert run.returncode == 0, run.stderr
    assert run.stdout.rstrip("\n") == str(said).rstrip("\n")


def test_two_processes_share_one_model(tmp_path: Path) -> None:
    folder = write_folder(tmp_path / "model", original_config("2-13b"))
    program = tmp_path / "share.py"
    program.write_text(
        "import torch, torch.distributed as dist\n"
        "from healgpt.models.baichuan.modeling_baichuan import BaichuanForCausalLM\n"
        "dist.init_process_group('gloo')\n"
        f"whole = BaichuanForCausalLM.from_pretrained({str(folder)!r}).eval()\n"
        f"shared = BaichuanForCausalLM.from_pretrained({str(folder)!r}, tp_plan='auto').eval()\n"
        f"ids = torch.tensor({IDS.tolist()})\n"
        "with torch.no_grad():\n"
        "    assert torch.allclose(shared(ids).logits, whole(ids).logits, atol=1e-4)\n"
        "assert shared.model.layers[0].mlp.up_proj.weight.to_local().shape[0] == 40\n"
        "dist.destroy_process_group()\n",
        encoding="utf-8",
    )
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2", str(program)]
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr


def broken(tmp_path: Path, change: Callable[[dict[str, torch.Tensor]], object], form: str = "safetensors") -> Path:
    config = original_config("13b")
    weights = original_weights(config)
    folder = write_folder(tmp_path, config)
    (folder / "model.safetensors").unlink()
    change(weights)
    write_weights(folder, weights, form)
    return folder


PACK = "model.layers.1.self_attn.W_pack.weight"


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda weights: weights.pop(PACK), f"缺少 {PACK}"),
        (lambda weights: weights.update(extra=torch.ones(2)), "多出 extra"),
        (lambda weights: weights.update({PACK: torch.ones(3, 48)}), f"{PACK}"),
    ],
)
@pytest.mark.parametrize("form", ["safetensors", "bin-sharded"])
def test_wrong_tensors_are_named(
    change: Callable[[dict[str, torch.Tensor]], object], words: str, form: str, tmp_path: Path
) -> None:
    folder = broken(tmp_path, change, form)
    with pytest.raises(ModelError, match="对不上") as complaint:
        check(folder)
    assert words in str(complaint.value)
    # The way around healgpt's own loader is guarded too.
    with pytest.raises(ValueError, match=re.escape(words)):
        AutoModelForCausalLM.from_pretrained(folder)


@pytest.mark.parametrize("form", ["safetensors", "safetensors-sharded", "bin-sharded"])
def test_truncated_shard_is_named(form: str, tmp_path: Path) -> None:
    folder = broken(tmp_path, lambda weights: None, form)
    last = sorted([*folder.glob("*.safetensors"), *folder.glob("*.bin")])[-1]
    last.write_bytes(last.read_bytes()[:-1000])
    with pytest.raises(ModelError, match=last.name):
        check(folder)


def test_missing_shard_is_named(tmp_path: Path) -> None:
    folder = broken(tmp_path, lambda weights: None, "safetensors-sharded")
    (folder / "model-00002-of-00002.safetensors").unlink()
    with pytest.raises(ModelError, match="model-00002-of-00002"):
        check(folder)


def test_index_cannot_reach_outside_the_folder(tmp_path: Path) -> None:
    folder = broken(tmp_path, lambda weights: None, "safetensors-sharded")
    index = folder / "model.safetensors.index.json"
    document = json.loads(index.read_text(encoding="utf-8"))
    document["weight_map"][PACK] = "../elsewhere.safetensors"
    index.write_text(json.dumps(document), encoding="utf-8")
    with pytest.raises(ModelError, match="elsewhere"):
        tensors(folder)


class Bomb:
    def __init__(self, target: Path) -> None:
        self.target = target

    def __reduce__(self) -> tuple[Any, ...]:
        return (Path.touch, (self.target,))


@pytest.mark.parametrize("save", [torch.save, lambda item, path: path.write_bytes(pickle.dumps(item))])
def test_program_in_a_pickle_never_runs(save: Callable[[Any, Path], object], tmp_path: Path) -> None:
    folder = broken(tmp_path, lambda weights: None, "bin")
    save({"model.norm.weight": Bomb(tmp_path / "ran")}, folder / "pytorch_model.bin")
    with pytest.raises(ModelError, match=r"pytorch_model\.bin"):
        check(folder)
    with pytest.raises(pickle.UnpicklingError):
        AutoModelForCausalLM.from_pretrained(folder)
    assert not (tmp_path / "ran").exists()


def test_unknown_architecture_says_what_is_supported(tmp_path: Path) -> None:
    folder = write_folder(tmp_path, original_config("13b") | {"model_type": "starwhale"})
    with pytest.raises(ModelError, match=r"starwhale.*Baichuan.*GGUF"):
        check(folder)


def test_folder_without_tokenizer_is_told(tmp_path: Path) -> None:
    folder = write_folder(tmp_path, original_config("13b"))
    with pytest.raises(ModelError, match=r"tokenizer\.model"):
        load(folder)


def test_folder_without_weights_or_config_is_told(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"config\.json"):
        check(tmp_path)
    folder = write_folder(tmp_path, original_config("13b"))
    (folder / "model.safetensors").unlink()
    with pytest.raises(ModelError, match="权重文件"):
        check(folder)
