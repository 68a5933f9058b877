"""The port against a forward pass written out in NumPy, and against itself along every path through it."""

import math
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from baichuan_samples import original_config, original_weights

pytest.importorskip("torch")
import torch
from transformers import StaticCache

from healgpt.models.baichuan.configuration_baichuan import BaichuanConfig
from healgpt.models.baichuan.layers_baichuan import NormHead
from healgpt.models.baichuan.modeling_baichuan import BaichuanForCausalLM
from healgpt.models.baichuan.positions_baichuan import alibi_slopes

Array = npt.NDArray[np.float64]
KINDS = ["7b", "13b", "2-7b", "2-13b"]
IDS = [[1, 195, 300, 301, 415, 77, 196, 640, 512, 2, 195, 330, 700, 196]]


def positioned(kind: str, **changes: Any) -> dict[str, Any]:
    place = "rope" if kind.endswith("7b") else "alibi"
    return original_config(kind, position_embedding=place, **changes)


def build(kind: str, **changes: Any) -> BaichuanForCausalLM:
    described = positioned(kind, **changes)
    model = BaichuanForCausalLM(BaichuanConfig(**described)).eval()
    model.load_state_dict(original_weights(described))
    return model


def numpy_logits(described: dict[str, Any], weights: dict[str, torch.Tensor], ids: list[int], norm_head: bool) -> Array:
    """The whole network from its definition, token by token, in float64."""
    table = {name: tensor.numpy().astype(np.float64) for name, tensor in weights.items()}
    heads, hidden = described["num_attention_heads"], described["hidden_size"]
    width = hidden // heads
    states = table["model.embed_tokens.weight"][ids]

    def norm(rows: Array, gain: Array) -> Array:
        return rows / np.sqrt((rows**2).mean(-1, keepdims=True) + described["rms_norm_eps"]) * gain

    def turned(row: Array, place: int) -> Array:
        out = row.copy()
        for low in range(width // 2):
            high = low + width // 2
            angle = place * 10_000 ** (-2 * low / width)
            out[low] = row[low] * math.cos(angle) - row[high] * math.sin(angle)
            out[high] = row[high] * math.cos(angle) + row[low] * math.sin(angle)
        return out

    for layer in range(described["num_hidden_layers"]):
        name = f"model.layers.{layer}"
        packed = norm(states, table[f"{name}.input_layernorm.weight"]) @ table[f"{name}.self_attn.W_pack.weight"].T
        mixed = np.zeros_like(states)
        for head in range(heads):
            query, key, value = (
                packed[:, part * hidden + head * width : part * hidden + (head + 1) * width] for part in range(3)
            )
            if described["position_embedding"] == "rope":
                query = np.array([turned(row, place) for place, row in enumerate(query)])
                key = np.array([turned(row, place) for place, row in enumerate(key)])
            for here in range(len(ids)):
                scores = query[here] @ key[: here + 1].T / math.sqrt(width)
                if described["position_embedding"] == "alibi":
                    scores = scores + reference_slope(head, heads) * (np.arange(here + 1) - here)
                weight = np.exp(scores - scores.max())
                mixed[here, head * width : (head + 1) * width] = weight / weight.sum() @ value[: here + 1]
        states = states + mixed @ table[f"{name}.self_attn.o_proj.weight"].T
        rows = norm(states, table[f"{name}.post_attention_layernorm.weight"])
        gate, up = rows @ table[f"{name}.mlp.gate_proj.weight"].T, rows @ table[f"{name}.mlp.up_proj.weight"].T
        states = states + (gate / (1 + np.exp(-gate)) * up) @ table[f"{name}.mlp.down_proj.weight"].T
    head_rows = table["lm_head.weight"]
    if norm_head:
        head_rows = head_rows / np.linalg.norm(head_rows, axis=1, keepdims=True)
    return norm(states, table["model.norm.weight"]) @ head_rows.T


def reference_slope(head: int, heads: int) -> float:
    """The slopes of the ALiBi paper's code, said recursively as there, one head at a time."""
    whole = 1 << (heads.bit_length() - 1)
    if head < whole:
        return 2.0 ** (-8.0 / whole * (head + 1))
    return reference_slope(2 * (head - whole), 2 * whole)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("attention", ["sdpa", "eager"])
def test_logits_are_those_of_the_definition(kind: str, attention: str) -> None:
    model = build(kind)
    model.set_attn_implementation(attention)
    with torch.no_grad():
        ours = model(torch.tensor(IDS)).logits[0].double().numpy()
    expected = numpy_logits(positioned(kind), original_weights(positioned(kind)), IDS[0], kind.startswith("2"))
    assert np.abs(ours - expected).max() < 1e-4


def test_slopes_of_forty_heads() -> None:
    slopes = alibi_slopes(40)
    assert slopes[0] == pytest.approx(2**-0.25)
    assert slopes[31] == pytest.approx(2**-8)
    assert slopes[32] == pytest.approx(2**-0.125)
    assert slopes[39] == pytest.approx(2 ** -(0.125 + 7 * 0.25))
    for heads in (8, 12, 40):
        assert alibi_slopes(heads).tolist() == pytest.approx([reference_slope(head, heads) for head in range(heads)])


@pytest.mark.parametrize("kind", KINDS)
def test_cache_gives_the_logits_of_the_whole_sequence(kind: str) -> None:
    model, ids = build(kind), torch.tensor(IDS)
    with torch.no_grad():
        whole = model(ids).logits
        static = StaticCache(config=model.config, max_cache_len=32)
        for cache in (None, static):
            first = model(ids[:, :5], past_key_values=cache, use_cache=True)
            steps, held = [first.logits], first.past_key_values
            for at in range(5, ids.shape[1]):
                out = model(ids[:, at : at + 1], past_key_values=held, use_cache=True)
                steps.append(out.logits)
                held = out.past_key_values
            assert torch.allclose(torch.cat(steps, 1), whole, atol=1e-4)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("attention", ["sdpa", "eager"])
def test_left_padding_changes_nothing(kind: str, attention: str) -> None:
    model = build(kind)
    model.set_attn_implementation(attention)
    long, short = IDS[0], IDS[0][:6]
    batch = torch.tensor([long, [0] * (len(long) - 6) + short])
    mask = torch.tensor([[1] * len(long), [0] * (len(long) - 6) + [1] * 6])
    with torch.no_grad():
        together = model(batch, attention_mask=mask).logits
        alone = model(torch.tensor([short])).logits
        assert torch.allclose(together[1, -6:], alone[0], atol=1e-4)
        assert together.isfinite().all()
        told = model.generate(batch, attention_mask=mask, max_new_tokens=10, do_sample=False, eos_token_id=None)
        for row, prompt in zip(told, (long, short), strict=True):
            single = model.generate(torch.tensor([prompt]), max_new_tokens=10, do_sample=False, eos_token_id=None)
            assert row[-10:].tolist() == single[0, -10:].tolist()


@pytest.mark.parametrize("kind", ["7b", "13b"])
def test_packed_sequences_do_not_see_each_other(kind: str) -> None:
    model = build(kind)
    first, second = IDS[0][:6], IDS[0][6:]
    places = torch.tensor([[*range(len(first)), *range(len(second))]])
    with torch.no_grad():
        packed = model(torch.tensor([first + second]), position_ids=places, use_cache=False).logits[0]
        apart = [model(torch.tensor([ids])).logits[0] for ids in (first, second)]
    assert torch.allclose(packed, torch.cat(apart), atol=1e-4)


@pytest.mark.parametrize("kind", KINDS)
def test_checkpointed_training_has_the_same_loss_and_gradients(kind: str) -> None:
    model, ids = build(kind).train(), torch.tensor(IDS)
    grads = []
    for checkpointed in (False, True):
        if checkpointed:
            model.gradient_checkpointing_enable()
        model.zero_grad()
        loss = model(ids, labels=ids, use_cache=False).loss
        loss.backward()
        grads.append([loss.detach(), *(weight.grad.clone() for weight in model.parameters())])
    for plain, saved in zip(*grads, strict=True):
        assert torch.allclose(plain, saved, atol=1e-5)


@pytest.mark.parametrize("kind", ["7b", "2-13b"])
@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_half_precision_stays_close_and_finite(kind: str, dtype: torch.dtype) -> None:
    model, ids = build(kind), torch.tensor([[0, 0, *IDS[0]]])
    mask = torch.tensor([[0, 0] + [1] * len(IDS[0])])
    with torch.no_grad():
        exact = model(ids, attention_mask=mask).logits[:, 2:]
        rough = model.to(dtype)(ids, attention_mask=mask).logits
    assert rough.isfinite().all()
    distance = (rough[:, 2:].float() - exact).abs().mean() / exact.abs().mean()
    assert distance < (0.02 if dtype == torch.float16 else 0.1)


def test_long_alibi_rows_stay_finite_in_half_precision() -> None:
    model = build("13b", num_hidden_layers=1, model_max_length=2048).half()
    with torch.no_grad():
        assert model(torch.randint(3, 700, (1, 1500)), logits_to_keep=1).logits.isfinite().all()


def test_norm_head_leaves_the_checkpoint_alone_and_follows_changes() -> None:
    head = NormHead(4, 3)
    rows = head.weight.detach().clone()
    states = torch.randn(2, 4)
    with torch.no_grad():
        expected = torch.nn.functional.linear(states, torch.nn.functional.normalize(rows))
        assert torch.allclose(head(states), expected, atol=1e-6)
        head.weight.mul_(7)
        assert torch.allclose(head(states), expected, atol=1e-6)
    with torch.inference_mode():
        assert torch.allclose(head(states), expected, atol=1e-6)
    assert torch.allclose(head.weight / 7, rows)


def test_z_loss_is_added_where_the_configuration_asks() -> None:
    ids = torch.tensor(IDS)
    plain, weighted = build("2-7b"), build("2-7b", z_loss_weight=0.01)
    with torch.no_grad():
        base, loss = plain(ids, labels=ids), weighted(ids, labels=ids).loss
    added = 0.01 * (base.logits[:, :-1].amax(-1) ** 2).mean()
    assert (loss - base.loss).item() == pytest.approx(added.item(), rel=1e-4)


def test_hidden_states_and_attentions_can_be_had() -> None:
    model = build("13b")
    model.set_attn_implementation("eager")
    out = model(torch.tensor(IDS), output_hidden_states=True, output_attentions=True)
    assert len(out.hidden_states) == 4
    assert out.attentions[0].shape == (1, 12, len(IDS[0]), len(IDS[0]))
    assert torch.allclose(out.attentions[0].sum(-1), torch.ones(1), atol=1e-5)


def test_generate_with_the_usual_options() -> None:
    model, ids = build("13b"), torch.tensor(IDS)
    options = {"max_new_tokens": 6, "eos_token_id": None, "pad_token_id": 0}
    greedy = model.generate(ids, do_sample=False, **options)
    assert torch.equal(model.generate(ids, do_sample=False, use_cache=False, **options), greedy)
    assert torch.equal(
        model.generate(ids, do_sample=False, cache_implementation="static", disable_compile=True, **options), greedy
    )
    assert model.generate(ids, num_beams=3, do_sample=False, **options).shape == greedy.shape
    torch.manual_seed(0)
    assert (
        model.generate(ids, do_sample=True, top_k=5, top_p=0.85, repetition_penalty=1.1, **options).shape
        == greedy.shape
    )
    assert torch.equal(model.generate(ids, assistant_model=build("13b"), do_sample=False, **options), greedy)


def test_token_past_the_vocabulary_is_named() -> None:
    with pytest.raises(ValueError, match="721"):
        build("7b")(torch.tensor([[1, 721]]))


def test_alibi_refuses_kernels_that_would_drop_it() -> None:
    model = build("13b")
    model.config._attn_implementation = "flash_attention_2"
    with pytest.raises(ValueError, match="ALiBi"):
        model(torch.tensor(IDS))


def test_growing_the_vocabulary_keeps_the_norm_head() -> None:
    model = build("2-7b")
    with torch.no_grad():
        before = model(torch.tensor(IDS)).logits
        model.resize_token_embeddings(730, mean_resizing=False)
        assert isinstance(model.lm_head, NormHead)
        assert torch.allclose(model(torch.tensor(IDS)).logits[..., :720], before, atol=1e-5)


def test_lora_on_the_packed_projection_trains_and_merges() -> None:
    peft = pytest.importorskip("peft")
    model, ids = build("2-13b"), torch.tensor(IDS)
    tuned = peft.get_peft_model(model, peft.LoraConfig(r=4, target_modules=["W_pack"], task_type="CAUSAL_LM"))
    optimiser = torch.optim.AdamW((weight for weight in tuned.parameters() if weight.requires_grad), lr=0.05)
    losses = []
    for _ in range(4):
        loss = tuned(ids, labels=ids).loss
        loss.backward()
        optimiser.step()
        optimiser.zero_grad()
        losses.append(loss.item())
    assert losses[-1] < losses[0]
    tuned.eval()
    with torch.no_grad():
        expected = tuned(ids).logits
        assert torch.allclose(tuned.merge_and_unload()(ids).logits, expected, atol=1e-4)


def test_compiled_model_has_the_same_logits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TORCHINDUCTOR_CACHE_DIR", str(tmp_path))
    model, ids = build("2-13b", num_hidden_layers=1), torch.tensor(IDS)
    # "eager" runs the captured graph as it is: what is shown is that the whole model is one graph.
    compiled = torch.compile(model, fullgraph=True, backend="eager")
    with torch.no_grad():
        assert torch.allclose(compiled(ids, use_cache=False).logits, model(ids).logits, atol=1e-4)
