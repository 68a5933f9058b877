"""`model.quantize(8)` and `model.quantize(4)` as the published models have them, through `torchao`.

The published code carried its own CUDA kernels; `torchao` is kept up and runs on processors too. Eight bits are
stored as eight. Four bits are packed on a CUDA card (needs `mslk`); elsewhere they are rounded to four but stored in
eight, so that the accuracy can be judged without a card -- for small files and memory on a processor, convert to GGUF.

This file travels with exported folders, so it imports nothing of this package.
"""

from typing import Any

_GROUP = 32


def quantize(model: Any, bits: int) -> Any:
    """Replace the weights of all linear layers but the output head, in place, and return `model`.

    Only weights are rounded: one scale a row for 8 bits, one scale and zero point for every 32 weights for 4.
    Raises `ValueError` for other bits or a model that is quantised already, `ImportError` without `torchao`.
    """
    if bits not in {8, 4}:
        raise ValueError(f"只能量化成 8 或 4 比特，不能是 {bits}。")
    if getattr(model, "quantized_bits", None) or getattr(model, "hf_quantizer", None):
        raise ValueError("模型已经量化过了。请从原始权重重新加载后再量化。")
    try:
        from torchao.quantization import quantize_
    except ImportError as error:
        raise ImportError("model.quantize 需要 torchao。请先运行 pip install torchao。") from error
    quantize_(model, _config(bits, str(model.device)), filter_fn=_chosen)
    model.quantized_bits = bits
    return model


def _config(bits: int, device: str) -> Any:
    import torch
    from torchao import quantization

    if bits == 8:
        return quantization.Int8WeightOnlyConfig()
    if device.startswith("cuda"):
        return quantization.Int4WeightOnlyConfig(group_size=_GROUP)
    return quantization.IntxWeightOnlyConfig(
        weight_dtype=torch.int4,  # type: ignore[attr-defined]
        granularity=quantization.PerGroup(_GROUP),
        mapping_type=quantization.MappingType.ASYMMETRIC,
    )


def _chosen(module: Any, name: str) -> bool:
    from torch import nn

    return isinstance(module, nn.Linear) and name.rsplit(".", 1)[-1] != "lm_head"
