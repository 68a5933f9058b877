"""Which engine settings and which quantisation answer fastest on this machine. `python benchmarks/engine.py --help`

Each setting runs in a process of its own, on one 501-token prompt without cache and 48 tokens of answer. With
`--requantise` the file is first rewritten in Q8_0 and Q4_0 by gguf's reference code (twice quantised, so answers may
suffer: compare them before using such a file).
"""

import argparse
import json
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

from healgpt.backends.machine import physical_cores
from healgpt.models import catalog

SETTINGS: tuple[dict[str, Any], ...] = (
    {},
    {"n_batch": 512},
    {"n_batch": 256, "n_ubatch": 256},
    {"n_batch": 128, "n_ubatch": 128},
    {"flash_attn_type": "LLAMA_FLASH_ATTN_TYPE_ENABLED"},
    {"flash_attn_type": "LLAMA_FLASH_ATTN_TYPE_DISABLED"},
    {"no_extra_bufts": True},
    {"cache_type_k": "GGML_TYPE_Q8_0", "cache_type_v": "GGML_TYPE_Q8_0"},
    {"n_parallel": 4},
    {"n_parallel": 4, "kv_unified": True},
)
TEXT = "患者男，45岁，颈椎不适三个月，每天睡醒都会头痛，偶有手麻，没有发热，既往高血压病史五年，规律服用药物。" * 20


def main() -> None:
    """Print prefill and decode rates for every setting, or for one where `--one` names it."""
    parser = argparse.ArgumentParser(description="引擎设置与量化方式的速度")
    parser.add_argument("--model", default="qwen2.5-coder-0.5b", help="目录中的 GGUF 模型名")
    parser.add_argument("--requantise", action="store_true", help="另测重新量化为 Q8_0 和 Q4_0 的文件")
    parser.add_argument("--one", nargs=2, metavar=("FILE", "SETTINGS"), help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.one:
        measure(Path(asked.one[0]), json.loads(asked.one[1]))
        return
    path = catalog.verify(catalog.find(asked.model))
    for setting in SETTINGS:
        _spawn(path, setting)
    if asked.requantise:
        with tempfile.TemporaryDirectory() as folder:
            for kind in ("Q8_0", "Q4_0"):
                rewritten = Path(folder) / f"{kind}.gguf"
                requantise(path, rewritten, kind)
                _spawn(rewritten, {})


def measure(path: Path, setting: Mapping[str, Any]) -> None:
    """Load `path` under `setting`, answer three times and print the best rates."""
    import xllamacpp

    params = xllamacpp.CommonParams()
    params.model.path = str(path)
    params.n_ctx, params.n_parallel, params.cache_ram_mib = 4096, 1, 0
    params.cpuparams.n_threads = params.cpuparams_batch.n_threads = physical_cores()
    params.api_keys, params.verbosity, params.warmup, params.fit_params = ["bench"], -1, False, False
    kinds = {
        "flash_attn_type": xllamacpp.llama_flash_attn_type,
        "cache_type_k": xllamacpp.ggml_type,
        "cache_type_v": xllamacpp.ggml_type,
    }
    for name, value in setting.items():
        setattr(params, name, getattr(kinds[name], value) if name in kinds else value)
    server = xllamacpp.Server(params)
    port = int(server.listening_address.rsplit(":", 1)[1])
    prompt = _post(port, "/tokenize", {"content": TEXT})["tokens"][:501]
    body = {"prompt": prompt, "n_predict": 48, "cache_prompt": False, "ignore_eos": True, "temperature": 0}
    timings = [_post(port, "/completion", body)["timings"] for _ in range(3)]
    prefill = max(item["prompt_per_second"] for item in timings)
    rate = max(item["predicted_per_second"] for item in timings)
    named = "，".join(f"{key}={value}" for key, value in setting.items()) or "引擎默认"
    print(f"{path.stem:24} 预填 {prefill:5.0f}  解码 {rate:5.1f} 词元/秒  {named}", flush=True)


def requantise(source: Path, target: Path, kind: str) -> None:
    """Write `source` with every quantised matrix in `kind`; other tensors and all fields stay."""
    import gguf
    import numpy as np

    reader = gguf.GGUFReader(source)
    wanted = gguf.GGMLQuantizationType[kind]
    writer = gguf.GGUFWriter(target, str(reader.fields["general.architecture"].contents()))
    for name, field in reader.fields.items():
        if not name.startswith("GGUF.") and name != "general.architecture":
            inner = field.types[1] if len(field.types) > 1 else None
            writer.add_key_value(name, field.contents(), field.types[0], sub_type=inner)
    for tensor in reader.tensors:
        if tensor.tensor_type in (gguf.GGMLQuantizationType.F32, gguf.GGMLQuantizationType.F16):
            writer.add_tensor(tensor.name, tensor.data)
            continue
        plain = gguf.quants.dequantize(tensor.data, tensor.tensor_type).astype(np.float32)
        writer.add_tensor(tensor.name, gguf.quants.quantize(plain, wanted), raw_dtype=wanted)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def _spawn(path: Path, setting: Mapping[str, Any]) -> None:
    subprocess.run([sys.executable, __file__, "--one", str(path), json.dumps(setting)], check=True)


def _post(port: int, place: str, body: Mapping[str, Any]) -> Any:
    connection = HTTPConnection("127.0.0.1", port)
    connection.request("POST", place, json.dumps(body), {"Authorization": "Bearer bench"})
    answer = json.loads(connection.getresponse().read())
    connection.close()
    return answer


if __name__ == "__main__":
    main()
