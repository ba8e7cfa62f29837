"""The bases: tokenizers, random models as Hugging Face directories, and the same in GGUF."""
import json
import pathlib
import subprocess
import types
import zlib

import numpy as np
import torch

import files
from files import GGML_F32, GGML_Q4_0, GGML_Q8_0
from reference import EMBEDDING, OUTPUT, PROJECTIONS, Base

HERE = pathlib.Path(__file__).resolve().parent
TEXTS = HERE.parents[4] / "examples" / "demo-model" / "text"
BASES = HERE / "bases"
VOCABULARY, EXPANDED, PADDED = 300, 320, 321


def seed(name):
    return zlib.crc32(name.encode())


def train_tokenizer():
    """300 pieces of SentencePiece BPE with byte fallback, and the same with 20 and 21 more."""
    prefix = BASES / "trained"
    subprocess.run(["spm_train", "--input=%s" % (TEXTS / "english.txt"), "--model_prefix=%s" % prefix, "--model_type=bpe",
                    "--vocab_size=%d" % VOCABULARY, "--byte_fallback=true", "--character_coverage=0.98", "--normalization_rule_name=identity",
                    "--num_threads=1", "--minloglevel=2", "--max_sentence_length=100000"], check=True)
    small = prefix.with_suffix(".model").read_bytes()
    for ending in (".model", ".vocab"):
        prefix.with_suffix(ending).unlink()
    # The trainer's settings hold the paths of this machine; only pieces and normalizer are needed.
    small = b"".join(files.piece(*one) for one in files.pieces(small)) + b"".join(
        bytes([number << 3 | 2]) + files.varint(len(value)) + value
        for number, value in [(2, trainer_settings()), (3, b"\x0a\x08identity")])
    counts = {}
    for character in (TEXTS / "poems.txt").read_text():
        if "\u4e00" <= character <= "\u9fff":
            counts[character] = counts.get(character, 0) + 1
    frequent = sorted(counts, key=lambda c: (-counts[c], c))[:EXPANDED - VOCABULARY]
    expanded = files.with_more_pieces(small, [(character, 0.0) for character in frequent])
    padded = files.with_more_pieces(expanded, [("[PAD]", 0.0)])
    return {VOCABULARY: small, EXPANDED: expanded, PADDED: padded}


def trainer_settings():
    """model_type = 3: BPE (2); byte_fallback = 35: true."""
    return bytes([3 << 3, 2]) + files.varint(35 << 3) + bytes([1])


def random_base(tokenizer, name, dim, hidden, tied=False, biases=False):
    """Two layers, four heads, two key/value heads, float16."""
    random = torch.Generator().manual_seed(seed(name))
    kv = dim // 2

    def matrix(rows, columns, std):
        return (torch.randn(rows, columns, generator=random, dtype=torch.float64) * std).half()

    def norm():
        return (1 + 0.2 * torch.randn(dim, generator=random, dtype=torch.float64)).half()

    shapes = dict(zip(PROJECTIONS, [(dim, dim), (kv, dim), (kv, dim), (dim, dim), (hidden, dim), (hidden, dim), (dim, hidden)]))
    parameters = {EMBEDDING + ".weight": matrix(VOCABULARY, dim, 0.5)}
    for layer in range(2):
        at = "model.layers.%d." % layer
        for module, (rows, columns) in shapes.items():
            parameters[at + module + ".weight"] = matrix(rows, columns, 1.2 * columns ** -0.5)
            if biases:
                parameters[at + module + ".bias"] = matrix(1, rows, 0.4)[0]
        parameters[at + "input_layernorm.weight"] = norm()
        parameters[at + "post_attention_layernorm.weight"] = norm()
    parameters["model.norm.weight"] = norm()
    if not tied:
        parameters[OUTPUT + ".weight"] = matrix(VOCABULARY, dim, 1.5 * dim ** -0.5)
    config = dict(architectures=["LlamaForCausalLM"], model_type="llama", vocab_size=VOCABULARY, hidden_size=dim, intermediate_size=hidden,
                  num_hidden_layers=2, num_attention_heads=4, num_key_value_heads=2, max_position_embeddings=64, rms_norm_eps=1e-5,
                  rope_theta=10000.0, hidden_act="silu", attention_bias=biases, mlp_bias=biases, bos_token_id=1, eos_token_id=2,
                  tie_word_embeddings=tied, torch_dtype="float16")
    folder = BASES / name
    folder.mkdir()
    (folder / "config.json").write_text(json.dumps(config, indent=1) + "\n")
    files.write_safetensors(folder / "model.safetensors", parameters, {"format": "pt"})
    (folder / "tokenizer.model").write_bytes(tokenizer)
    return Base(name, config, {key: value.double() for key, value in parameters.items()})


GGUF_NAMES = dict(zip(PROJECTIONS, ["attn_q", "attn_k", "attn_v", "attn_output", "ffn_gate", "ffn_up", "ffn_down"]))
GGUF_NAMES.update({"input_layernorm": "attn_norm", "post_attention_layernorm": "ffn_norm"})


def gguf_name(parameter):
    module, kind = parameter.rsplit(".", 1)
    if module.startswith("model.layers."):
        _, _, layer, rest = module.split(".", 3)
        return "blk.%s.%s.%s" % (layer, GGUF_NAMES[rest], kind)
    return {EMBEDDING: "token_embd", "model.norm": "output_norm", OUTPUT: "output"}[module] + "." + kind


def heads_of(base, parameter):
    """How many heads the rows of a parameter are cut into, 0 if GGUF keeps their order."""
    if "q_proj" in parameter:
        return base.config["num_attention_heads"]
    return base.config["num_key_value_heads"] if "k_proj" in parameter else 0


def to_pairs(tensor, heads):
    """Row k * d/2 + j of each head becomes row 2j + k."""
    return tensor.reshape(heads, 2, -1, *tensor.shape[1:]).transpose(1, 2).reshape(tensor.shape) if heads else tensor


def to_halves(tensor, heads):
    return tensor.reshape(heads, -1, 2, *tensor.shape[1:]).transpose(1, 2).reshape(tensor.shape) if heads else tensor


def gguf_base(tokenizer, base, name, kind):
    """The base as a GGUF file of this type. Its parameters are what the file says."""
    c = base.config
    pieces = files.pieces(tokenizer)
    metadata = {
        "general.architecture": "llama", "general.name": name, "general.alignment": files.ALIGNMENT, "llama.context_length": 64,
        "llama.embedding_length": c["hidden_size"], "llama.block_count": 2, "llama.feed_forward_length": c["intermediate_size"],
        "llama.attention.head_count": 4, "llama.attention.head_count_kv": 2, "llama.attention.layer_norm_rms_epsilon": c["rms_norm_eps"],
        "llama.rope.dimension_count": c["hidden_size"] // 4, "llama.rope.freq_base": c["rope_theta"], "llama.vocab_size": VOCABULARY,
        "tokenizer.ggml.model": "llama", "tokenizer.ggml.tokens": [text for text, _, _ in pieces],
        "tokenizer.ggml.scores": np.array([score for _, score, _ in pieces], np.float32),
        "tokenizer.ggml.token_type": np.array([kind for _, _, kind in pieces], np.int32),
        "tokenizer.ggml.bos_token_id": 1, "tokenizer.ggml.eos_token_id": 2, "tokenizer.ggml.unknown_token_id": 0}
    tensors = {gguf_name(key): (to_pairs(value, heads_of(base, key)), kind if value.dim() == 2 else GGML_F32)
               for key, value in base.parameters.items()}
    stored = files.write_gguf(BASES / (name + ".gguf"), metadata, tensors)
    return Base(name + ".gguf", c, {key: to_halves(stored[gguf_name(key)], heads_of(base, key)) for key in base.parameters})


def make_bases(tokenizers):
    tokenizer = tokenizers[VOCABULARY]
    made = types.SimpleNamespace(base=random_base(tokenizer, "base", 32, 64), tied=random_base(tokenizer, "tied", 32, 64, tied=True),
                                 biased=random_base(tokenizer, "biased", 32, 64, biases=True))
    made.q8_0 = gguf_base(tokenizer, made.base, "base-q8_0", GGML_Q8_0)
    made.q4_0 = gguf_base(tokenizer, made.base, "base-q4_0", GGML_Q4_0)
    made.biased_q8_0 = gguf_base(tokenizer, made.biased, "biased-q8_0", GGML_Q8_0)
    return made
