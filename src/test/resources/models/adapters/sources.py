"""Several adapters, larger vocabularies, scales, and the files that adapters and bases come in."""
import json

import torch

import files
from adapter import PREFIX
from bases import EXPANDED, PADDED, gguf_name, heads_of, to_halves, to_pairs
from case import EXPANDED_IDS, PADDED_IDS, all_projections, case
from files import GGML_F16, GGML_F32, GGML_Q8_0
from reference import EMBEDDING, OUTPUT, added, forward, modules

F32, BF16 = torch.float32, torch.bfloat16


# ---- larger vocabularies, several adapters, scales ----

def expanding(c, base, rows):
    """As Chinese-LLaMA's: both matrices of the vocabulary whole, LoRA on all projections, the tokenizer."""
    a = c.adapter(base, modules_to_save=["embed_tokens"] if base.tied() else ["embed_tokens", "lm_head"])
    all_projections(a, 2, 2.0)
    a.whole(EMBEDDING, rows=rows)
    if not base.tied():
        a.whole(OUTPUT, rows=rows)
    a.files["tokenizer.model"] = lambda path: path.write_bytes(c.tokenizers[rows])
    return a


@case
def expanded(c):
    """A larger vocabulary with its tokenizer, as Chinese-LLaMA's."""
    c.ids = EXPANDED_IDS
    c.add(expanding(c, c.bases.base, EXPANDED), rank=2, alpha=4)


@case
def expanded_tied(c):
    """The same on a tied base, which brings the embedding alone."""
    c.ids = EXPANDED_IDS
    c.add(expanding(c, c.bases.tied, EXPANDED), rank=2, alpha=4)


@case
def stack(c):
    """Two in order, as Chinese-LLaMA-Plus and Chinese-Alpaca-Plus: the second has one piece more, overwrites both matrices, and adds its LoRA to the first's."""
    c.add_made("expanded")
    c.ids = PADDED_IDS
    c.facts = [dict(overwritten=2)]
    c.add(expanding(c, c.bases.base, PADDED), rank=2, alpha=4, name="second")


@case
def stack_scaled(c):
    """The same with scales of the user's: they multiply deltas, not whole matrices."""
    c.add_made("expanded", 0.5)
    c.add_made("stack", 0.75)
    c.facts = [dict(overwritten=2)]


@case
def scaled(c):
    """Two plain adapters, the first with the user's scale 0.5, the second with -0.25."""
    for name, scale in ("first", 0.5), ("second", -0.25):
        a = c.adapter(c.bases.base)
        all_projections(a, 2, 2.0)
        c.add(a, rank=2, alpha=4, name=name, scale=scale)


@case
def scaled_dora(c):
    """The user's scale multiplies DoRA's delta before the lengths are taken; the trained lengths stay."""
    c.add_made("dora-spellings", 0.5)


@case
def scaled_bias(c):
    """The user's scale multiplies the bias of lora_B, too, as PEFT does."""
    c.add_made("lora-bias", 0.5)


@case
def scaled_tokens(c):
    """The user's scale leaves whole modules and rows of tokens alone."""
    c.add_made("trainable-tokens-of-both", 0.5)


# ---- other files ----

@case
def sharded(c):
    """adapter_model-0000N-of-00002.safetensors with an index; the two matrices of one LoRA may be in different files."""
    a = c.adapter(c.bases.base)
    all_projections(a, 2, 2.0)
    names = list(a.tensors)
    shards = {"adapter_model-00001-of-00002.safetensors": names[:13], "adapter_model-00002-of-00002.safetensors": names[13:]}
    for name, keys in shards.items():
        a.files[name] = lambda path, keys=keys: files.write_safetensors(path, {key: a.tensors[key] for key in keys}, {"format": "pt"})
    index = {"metadata": {"total_size": sum(t.numel() * t.element_size() for t in a.tensors.values())},
             "weight_map": {key: name for name, keys in shards.items() for key in keys}}
    a.files["adapter_model.safetensors.index.json"] = lambda path: path.write_text(json.dumps(index, indent=1) + "\n")
    c.add(a, rank=2, alpha=4)


def pickled(a, content):
    a.files["adapter_model.bin"] = lambda path: torch.save(content(a.tensors), path)


@case
def bin_f32(c):
    """adapter_model.bin of torch.save: a dict of float32 tensors."""
    a = c.adapter(c.bases.base, dtype=F32)
    all_projections(a, 2, 2.0)
    pickled(a, dict)
    c.add(a, rank=2, alpha=4)


@case
def bin_f16(c):
    """float16 in the OrderedDict with the attribute _metadata that state_dict() of a module gives, with whole matrices."""
    a = expanding(c, c.bases.tied, EXPANDED)

    def state_dict(tensors):
        state = torch.nn.Linear(1, 1).state_dict()
        state.clear()
        state.update(tensors)
        return state

    pickled(a, state_dict)
    c.ids = EXPANDED_IDS
    c.add(a, rank=2, alpha=4)


@case
def bin_bf16(c):
    """bfloat16; parameters that need a gradient, transposed views, and parts of one storage."""
    a = c.adapter(c.bases.base, dtype=BF16)
    all_projections(a, 2, 2.0)

    def views(tensors):
        out, pool = {}, torch.cat([t.flatten() for t in tensors.values()])
        at = 0
        for i, (name, tensor) in enumerate(tensors.items()):
            part = pool[at:at + tensor.numel()].view(tensor.shape)
            at += tensor.numel()
            out[name] = [torch.nn.Parameter(tensor.clone()), tensor.t().contiguous().t(), part][i % 3]
        return out

    pickled(a, views)
    c.add(a, rank=2, alpha=4)


# ---- GGUF ----

ATTENTION = ["self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj", "self_attn.o_proj"]


def gguf_adapter(c, base, path, alpha, kinds, modules, rank=4, vocabulary=False):
    """LoRA as llama.cpp's converter writes it: rows of Q's and K's lora_b in pairs, the embedding's lora_a transposed."""
    a = c.adapter(base)
    pairs = {}
    for module in modules + ([OUTPUT] if vocabulary else []):
        rows, columns = base.shape(module)
        pairs[module] = a.normal(rank, columns, std=0.13), a.normal(rows, rank, std=0.13)
    if vocabulary:
        pairs[EMBEDDING] = a.normal(base.shape(EMBEDDING)[0], rank, std=0.5), a.normal(base.shape(EMBEDDING)[1], rank, std=0.5)
    tensors = {}
    for module, (right, left) in pairs.items():
        name = gguf_name(module + ".weight")
        tensors[name + ".lora_a"] = right, kinds[0]
        tensors[name + ".lora_b"] = to_pairs(left, heads_of(base, module)), kinds[1]
    metadata = {"general.architecture": "llama", "general.type": "adapter", "adapter.type": "lora", "general.name": c.name}
    if alpha is not None:
        metadata["adapter.lora.alpha"] = alpha
    stored = files.write_gguf(c.folder / path, metadata, tensors)
    scale = alpha / rank if alpha else 1.0
    for module in pairs:
        name = gguf_name(module + ".weight")
        right, left = stored[name + ".lora_a"], to_halves(stored[name + ".lora_b"], heads_of(base, module))
        right = right.T if module == EMBEDDING else right
        a.operations.append((module + ".weight", added(right, left, scale, transposed=module == EMBEDDING)))
        a.facts["changed"] += 1
    c.add(a, name=path, write=False)


@case
def gguf_lora(c):
    """A GGUF adapter, float32, for the base as a Hugging Face directory."""
    gguf_adapter(c, c.bases.base, "lora.gguf", 8.0, (GGML_F32, GGML_F32), modules(2))


@case
def gguf_lora_f16(c):
    """float16, with LoRA on embedding and output, for a base in GGUF."""
    gguf_adapter(c, c.bases.q8_0, "lora.gguf", 8.0, (GGML_F16, GGML_F16), modules(2), vocabulary=True)


@case
def gguf_lora_without_alpha(c):
    """Without an alpha, or with 0, the delta is B A alone."""
    gguf_adapter(c, c.bases.base, "lora.gguf", None, (GGML_F16, GGML_F16), modules(2, ATTENTION), rank=6)


@case
def gguf_lora_q8_0(c):
    """lora_a in Q8_0, as the converter's --outtype q8_0 writes it; rows of lora_b are too short for a block and stay float16."""
    gguf_adapter(c, c.bases.base, "lora.gguf", 8.0, (GGML_Q8_0, GGML_F16), modules(2))


@case
def gguf_lora_scaled(c):
    """A GGUF adapter after a PEFT one, with the user's scale 1.5, on a quantized base."""
    c.add_made("plain", base=c.bases.q8_0)
    c.add_made("gguf-lora", 1.5, base=c.bases.q8_0)


@case
def base_q8_0(c):
    """A plain adapter on a base in Q8_0: decoded, merged, kept in float32."""
    c.add_made("plain", base=c.bases.q8_0)


@case
def base_q4_0(c):
    """The same in Q4_0."""
    c.add_made("plain", base=c.bases.q4_0)


@case
def base_q8_0_dora(c):
    """DoRA on a base in Q8_0: the lengths are those of the decoded rows."""
    c.add_made("dora", base=c.bases.q8_0)


@case
def base_gguf_biases(c):
    """A base in GGUF has its rows of Q and K in pairs: biases of the adapter are in halves like its matrices."""
    c.add_made("bias-all", base=c.bases.biased_q8_0)


@case
def base_gguf_lora_bias(c):
    """The same for the bias of lora_B."""
    c.add_made("lora-bias", base=c.bases.biased_q8_0)


# ---- float16, step by step ----

@case
def float16(c):
    """As the merge script of Chinese-LLaMA rounds: parameters are float16, whole matrices are rounded to it, and each adapter's float32 delta
    is added with one rounding of the sum. merged.safetensors has three of the matrices; every product of the deltas is exact in float32."""
    base = c.bases.base
    saved = "model.layers.1.self_attn.v_proj"
    targets = ["model.layers.0.self_attn.q_proj", "model.layers.1.mlp.down_proj", saved]
    state = {name: value.half() for name, value in base.parameters.items()}
    once = dict(base.parameters)
    for name in "first", "second":
        a = c.adapter(base, dtype=F32, modules_to_save=["v_proj"] if name == "first" else None)
        if name == "first":
            whole = a.whole(saved)
            state[saved + ".weight"], once[saved + ".weight"] = whole.half(), whole.double()
        for module in targets:
            rows, columns = base.shape(module)
            right = torch.randint(-8, 9, (4, columns), generator=a.random) / 64
            left = torch.randint(-8, 9, (rows, 4), generator=a.random) / 32
            a.tensors[PREFIX + module + ".lora_A.weight"], a.tensors[PREFIX + module + ".lora_B.weight"] = right.half(), left.half()
            delta = (left @ right) * 2
            assert torch.equal(delta.double(), left.double() @ right.double() * 2)
            state[module + ".weight"] = (state[module + ".weight"].float() + delta).half()
            once[module + ".weight"] = once[module + ".weight"] + delta.double()
            a.facts["changed"] += 1
        c.add(a, name=name, targets=["q_proj", "down_proj", "v_proj"])
    for module in targets:
        assert not torch.equal(once[module + ".weight"].half(), state[module + ".weight"]), module
    files.write_safetensors(c.folder / "merged.safetensors", {module + ".weight": state[module + ".weight"] for module in targets})
    c.extra = {"float16": True}
    c.logits = forward(base.config, {name: value.double() for name, value in state.items()}, c.ids)
