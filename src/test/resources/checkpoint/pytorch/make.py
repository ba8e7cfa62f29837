"""The base of the reference cases of adapters (../../models/adapters/bases/base) in PyTorch's files: as Hugging Face and as Meta publish models.

    python3 make.py

with Python 3.11 and PyTorch 2.13 (CPU). The weights are the same to the bit everywhere; only how they are stored differs.
"""
import collections
import json
import pathlib
import shutil
import struct

import torch

HERE = pathlib.Path(__file__).parent
BASE = HERE / "../../models/adapters/bases/base"
HEADS, KV_HEADS, LAYERS = 4, 2, 2
TYPES = {"F16": torch.float16, "BF16": torch.bfloat16, "F32": torch.float32}


def read_safetensors(path):
    data = path.read_bytes()
    length, = struct.unpack_from("<Q", data)
    header = json.loads(data[8:8 + length])
    header.pop("__metadata__", None)
    tensors = collections.OrderedDict()
    for name, entry in header.items():
        begin, end = (8 + length + offset for offset in entry["data_offsets"])
        tensors[name] = torch.frombuffer(bytearray(data[begin:end]), dtype=TYPES[entry["dtype"]]).reshape(entry["shape"]).clone()
    return tensors


def folder(name, *copied):
    path = HERE / name
    shutil.rmtree(path, ignore_errors=True)
    path.mkdir()
    for file in copied:
        shutil.copy(BASE / file, path / file)
    return path


def hugging_face(weights):
    """One file as transformers writes it: an OrderedDict with _metadata, protocol 2, and buffers that nobody needs."""
    path = folder("hugging-face", "config.json", "tokenizer.model")
    state = collections.OrderedDict(weights)
    for layer in range(LAYERS):
        state[f"model.layers.{layer}.self_attn.rotary_emb.inv_freq"] = torch.arange(4, dtype=torch.float64)
    state._metadata = collections.OrderedDict({"": {"version": 1}})
    torch.save(state, path / "pytorch_model.bin")


def views(weights):
    """Views instead of matrices: transposed, some columns of a larger one, some rows of a shared storage, every second element of a vector."""
    path = folder("views", "config.json", "tokenizer.model")
    state = dict(weights)
    for name in list(state):
        if "q_proj" in name or name == "lm_head.weight":
            state[name] = state[name].t().contiguous().t()
        elif "k_proj" in name:
            wide = torch.full((state[name].shape[0], 100), 7, dtype=state[name].dtype)
            wide[:, 11:11 + state[name].shape[1]] = state[name]
            state[name] = wide[:, 11:11 + state[name].shape[1]]
        elif "v_proj" in name:
            both = torch.cat([torch.ones(3, state[name].shape[1], dtype=state[name].dtype), state[name]])
            state[name] = both[3:]
        elif "input_layernorm" in name:
            state[name] = torch.stack([state[name], -state[name]], dim=1)[:, 0]
        elif "down_proj" in name:
            cube = torch.zeros(state[name].shape[1], 2, 2 * state[name].shape[0], dtype=state[name].dtype)
            cube[:, 1, ::2] = state[name].t()
            state[name] = cube[:, 1, ::2].t()
    torch.save(state, path / "pytorch_model.bin", pickle_protocol=5)


def sharded(weights):
    """Two shards with an index; the second has parameters instead of tensors, under 'state_dict', in protocol 4."""
    path = folder("sharded", "config.json", "tokenizer.model")
    names = list(weights)
    parts = names[::2], names[1::2]
    files = [f"pytorch_model-0000{i + 1}-of-00002.bin" for i in range(2)]
    torch.save({name: weights[name] for name in parts[0]}, path / files[0])
    wrapped = {"epoch": 3, "state_dict": {name: torch.nn.Parameter(weights[name]) for name in parts[1]}, "lr": 0.5, "history": [1, {"loss": 2.0}]}
    torch.save(wrapped, path / files[1], pickle_protocol=4)
    index = {"metadata": {}, "weight_map": {name: files[i] for i in range(2) for name in parts[i]}}
    (path / "pytorch_model.bin.index.json").write_text(json.dumps(index, indent=1))


def to_pairs(matrix, heads):
    """Meta's order of the rows of Q and K: partners of RoPE beside each other."""
    rows, columns = matrix.shape
    return matrix.reshape(heads, 2, rows // heads // 2, columns).transpose(1, 2).reshape(rows, columns).contiguous()


def meta_names(weights):
    names = {"model.embed_tokens.weight": "tok_embeddings.weight", "model.norm.weight": "norm.weight", "lm_head.weight": "output.weight"}
    parts = {"self_attn.q_proj": "attention.wq", "self_attn.k_proj": "attention.wk", "self_attn.v_proj": "attention.wv",
             "self_attn.o_proj": "attention.wo", "mlp.gate_proj": "feed_forward.w1", "mlp.down_proj": "feed_forward.w2",
             "mlp.up_proj": "feed_forward.w3", "input_layernorm": "attention_norm", "post_attention_layernorm": "ffn_norm"}
    for layer in range(LAYERS):
        for ours, meta in parts.items():
            names[f"model.layers.{layer}.{ours}.weight"] = f"layers.{layer}.{meta}.weight"
    renamed = {meta: weights[ours] for ours, meta in names.items()}
    for name in renamed:
        if ".wq." in name or ".wk." in name:
            renamed[name] = to_pairs(renamed[name], HEADS if ".wq." in name else KV_HEADS)
    return renamed


def part(name, tensor, shard, shards, rows_of_embedding):
    """What a shard has of a tensor, by the kinds of layers in Meta's code: column-parallel, row-parallel, embedding, everything else."""
    if any(f".{w}." in name for w in ("wq", "wk", "wv", "w1", "w3")) or name == "output.weight" or name == "tok_embeddings.weight" and rows_of_embedding:
        return tensor.chunk(shards, 0)[shard].clone()
    if any(f".{w}." in name for w in ("wo", "w2")) or name == "tok_embeddings.weight":
        return tensor.chunk(shards, 1)[shard].clone()
    return tensor


def meta(name, weights, shards, rows_of_embedding, params, tokenizer_above=False):
    outer = folder(name, *(["tokenizer.model"] if tokenizer_above else []))
    path = outer
    if tokenizer_above:
        path = outer / "model"
        path.mkdir()
    else:
        shutil.copy(BASE / "tokenizer.model", path / "tokenizer.model")
    for shard in range(shards):
        state = {key: part(key, tensor, shard, shards, rows_of_embedding) for key, tensor in weights.items()}
        state["rope.freqs"] = torch.arange(4, dtype=torch.float16)
        torch.save(state, path / f"consolidated.{shard:02d}.pth")
    (path / "params.json").write_text(json.dumps(params))


def main():
    weights = read_safetensors(BASE / "model.safetensors")
    hugging_face(weights)
    views(weights)
    sharded(weights)
    renamed = meta_names(weights)
    params = {"dim": 32, "multiple_of": 32, "n_heads": HEADS, "n_kv_heads": KV_HEADS, "n_layers": LAYERS, "norm_eps": 1e-05, "vocab_size": -1}
    meta("meta-1", renamed, 1, False, {**params, "max_seq_len": 64})
    meta("meta-2", renamed, 2, False, params, tokenizer_above=True)
    meta("meta-2-rows", renamed, 2, True, {**params, "ffn_dim_multiplier": 1.3, "vocab_size": 300, "use_scaled_rope": False})


main()
