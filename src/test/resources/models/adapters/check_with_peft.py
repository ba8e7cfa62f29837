#!/usr/bin/env python3
"""Holds the cases against PEFT's own code on Transformers' LLaMA, in float64; see README.md. Needs peft, transformers, safetensors."""
import json
import pathlib
import shutil
import sys
import tempfile
import warnings

import numpy as np
import torch
import transformers
from safetensors.torch import load_file, save_file
from transformers import DynamicCache, LlamaConfig, LlamaForCausalLM
from transformers.pytorch_utils import Conv1D

# PEFT 0.17 imports what Transformers 5 no longer has.
if not hasattr(sys.modules["transformers"], "HybridCache"):
    sys.modules["transformers"].HybridCache = DynamicCache
import peft
from peft.tuners.lora.layer import Linear as LoraLinear

HERE = pathlib.Path(__file__).resolve().parent
BASES, CASES = HERE / "bases", HERE / "cases"
# Where float16 is not what is checked; the reference rounds once to float32, PEFT here never.
TOLERANCE = 2e-5
PREFIX = "base_model.model."


def base(name, dtype=torch.float64):
    config = json.loads((BASES / name / "config.json").read_text())
    known = {key: value for key, value in config.items() if key not in ("torch_dtype", "architectures", "model_type")}
    model = LlamaForCausalLM(LlamaConfig(**known, attn_implementation="eager")).to(dtype)
    result = model.load_state_dict({k: v.to(dtype) for k, v in load_file(BASES / name / "model.safetensors").items()}, strict=False)
    assert not result.unexpected_keys and all(key == "lm_head.weight" for key in result.missing_keys)
    model.tie_weights()
    return model.eval()


def tensors_of(folder):
    if (folder / "adapter_model.bin").exists():
        return dict(torch.load(folder / "adapter_model.bin", weights_only=True))
    found = {}
    for file in sorted(folder.glob("adapter_model*.safetensors")):
        found.update(load_file(file))
    return found


def normal_key(key):
    """PEFT's own spelling of today, which is all that its loader takes, of a key of a live model or of an older release."""
    if ".original_module." in key or ".trainable_tokens_original" in key:
        return None
    key = key.replace(".modules_to_save.default", "").replace(".modules_to_save", "").replace(".default", "")
    key = key.replace(".lora_magnitude_vector.weight", ".lora_magnitude_vector")
    key = key if key.startswith(PREFIX) else PREFIX + key
    bare = key.removeprefix(PREFIX)
    return PREFIX + "model." + bare if bare.split(".")[0] in ("layers", "embed_tokens", "norm") else key


def normalized(folder, into):
    """A copy that PEFT can load: keys in its spelling, one safetensors file, the tensors' rank."""
    shutil.copytree(folder, into)
    for file in into.glob("adapter_model*"):
        file.unlink()
    config = json.loads((folder / "adapter_config.json").read_text())
    tensors = {}
    for key, value in tensors_of(folder).items():
        key = normal_key(key)
        if key:
            below_lora = key.endswith(".bias") and key.replace(".bias", ".lora_A.weight") in tensors
            tensors[key.replace(".bias", ".base_layer.bias") if below_lora else key] = value.detach().contiguous()
    ranks = {value.shape[0] for key, value in tensors.items() if key.endswith(".lora_A.weight")}
    if not config["rank_pattern"] and len(ranks) == 1 and config["r"] not in ranks:
        config["r"] = ranks.pop()
    (into / "adapter_config.json").write_text(json.dumps(config))
    save_file(tensors, into / "adapter_model.safetensors")
    return into


def run(case, folder, merged):
    model = base(case["base"])
    for i, lora in enumerate(case["loras"]):
        rows = case["merge"][i]["vocabulary"]
        if model.get_input_embeddings().weight.shape[0] != rows:
            model.resize_token_embeddings(rows)
        with tempfile.TemporaryDirectory() as scratch:
            adapter = normalized((folder / lora).resolve(), pathlib.Path(scratch) / "lora")
            model = peft.PeftModel.from_pretrained(model, str(adapter), autocast_adapter_dtype=False).double()
        for module in model.modules():
            if hasattr(module, "scale_layer"):
                module.scale_layer(case.get("scales", [1] * len(case["loras"]))[i])
        if merged or i + 1 < len(case["loras"]):
            model = model.merge_and_unload()
            if case["base"] == "tied" and not any("lm_head" in key for key in tensors_of((folder / lora).resolve())):
                # As when the merged model is saved and loaded; until then PEFT's copy of the embedding is not the output's.
                model.tie_weights()
    with torch.no_grad():
        return model(torch.tensor([case["ids"]])).logits[0].float()


def transposed(folder):
    """fan_in_fan_out: PEFT ignores it on linear layers, so its layer is put on a Conv1D, whose matrix is [in, out]. Returns logits of a
    LLaMA with the matrices that it merges."""
    case = json.loads((folder / "case.json").read_text())
    config = json.loads((folder / "lora" / "adapter_config.json").read_text())
    tensors, model = tensors_of(folder / "lora"), base(case["base"])
    for key, a in tensors.items():
        if not key.endswith(".lora_A.weight"):
            continue
        key = key.removesuffix(".lora_A.weight")
        weight = model.get_submodule(key.removeprefix(PREFIX)).weight
        below = Conv1D(weight.shape[1], weight.shape[0]).double()
        below.weight.data = weight.data.clone()
        layer = LoraLinear(below, "default", r=a.shape[0], lora_alpha=config["lora_alpha"], fan_in_fan_out=True, use_dora=config["use_dora"]).double()
        layer.lora_A["default"].weight.data = a.double()
        layer.lora_B["default"].weight.data = tensors[key + ".lora_B.weight"].double()
        if config["use_dora"]:
            layer.lora_magnitude_vector["default"].weight.data = tensors[key + ".lora_magnitude_vector"].double()
        layer.merge()
        weight.data = below.weight.data
    with torch.no_grad():
        return model(torch.tensor([case["ids"]])).logits[0].float()


def float16(folder):
    """Merged in float16 by PEFT, float32 adapters: bits of the matrices that both can merge (PEFT has no LoRA on a saved module)."""
    model = base("base", torch.float16)
    for name in "first", "second":
        with tempfile.TemporaryDirectory() as scratch:
            adapter = pathlib.Path(scratch)
            config = json.loads((folder / name / "adapter_config.json").read_text())
            config.update(modules_to_save=None, target_modules=["q_proj", "down_proj"])
            tensors = {k: v for k, v in tensors_of(folder / name).items() if "v_proj" not in k}
            for layer in 0, 1:
                for part, rows, columns in ("self_attn.q_proj", 32, 32), ("mlp.down_proj", 32, 64):
                    key = PREFIX + "model.layers.%d.%s." % (layer, part)
                    tensors.setdefault(key + "lora_A.weight", torch.zeros(4, columns))
                    tensors.setdefault(key + "lora_B.weight", torch.zeros(rows, 4))
            (adapter / "adapter_config.json").write_text(json.dumps(config))
            save_file(tensors, adapter / "adapter_model.safetensors")
            model = peft.PeftModel.from_pretrained(model, str(adapter)).merge_and_unload()
    expected, merged = load_file(folder / "merged.safetensors"), model.state_dict()
    return [name for name in expected if "v_proj" not in name and not torch.equal(expected[name], merged[name])]


def compare(folder):
    case = json.loads((folder / "case.json").read_text())
    if case.get("float16"):
        wrong = float16(folder)
        return "bits of q_proj and down_proj " + ("DIFFER: %s" % wrong if wrong else "equal")
    if case["base"].endswith(".gguf") or any(lora.endswith(".gguf") for lora in case["loras"]):
        return "not PEFT's"
    expected = torch.from_numpy(np.fromfile(folder / "logits.f32", "<f4")).view(len(case["ids"]), -1)
    results = []
    ways = [("Conv1D, merged", transposed)] if "fan-in" in folder.name else [
        ("unmerged", lambda f: run(case, f, False)), ("merged", lambda f: run(case, f, True))]
    for name, way in ways:
        try:
            difference = (way(folder) - expected).abs().max().item()
            results.append("%s %s (%.0e)" % (name, "equal" if difference <= TOLERANCE else "DIFFERS", difference))
        except Exception as e:
            results.append("%s FAILS: %s %s" % (name, type(e).__name__, str(e).strip().splitlines()[0][:90]))
    return ", ".join(results)


if __name__ == "__main__":
    warnings.filterwarnings("ignore")
    print("peft %s, transformers %s, torch %s" % (peft.__version__, transformers.__version__, torch.__version__))
    for one in sorted(CASES.iterdir()):
        print("%-28s %s" % (one.name, compare(one)), flush=True)
