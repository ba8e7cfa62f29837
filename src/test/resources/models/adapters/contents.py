"""What adapters contain, one case a function; its documentation is what the case shows."""
import torch

from adapter import PREFIX
from bases import EXPANDED
from case import EXPANDED_IDS, all_projections, case
from reference import EMBEDDING, OUTPUT, modules

F32, BF16 = torch.float32, torch.bfloat16


@case
def base(c):
    """The base of most cases, without adapters."""
    c.base = c.bases.base


@case
def tied(c):
    """A base whose output is its embedding, without adapters."""
    c.base = c.bases.tied


@case
def biased(c):
    """A base with attention_bias and mlp_bias, without adapters."""
    c.base = c.bases.biased


@case
def plain(c):
    """r = 4, alpha = 8 on all seven projections."""
    a = c.adapter(c.bases.base, dtype=F32)
    all_projections(a, 4, 2.0)
    c.add(a)


@case
def default_names(c):
    """The state dict of a live model: .lora_A.default.weight."""
    a = c.adapter(c.bases.base)
    all_projections(a, 2, 2.0, a=".lora_A.default.weight", b=".lora_B.default.weight")
    c.add(a, rank=2, alpha=4)


@case
def rslora(c):
    """alpha / sqrt(r): 6 / 2."""
    a = c.adapter(c.bases.base, use_rslora=True)
    all_projections(a, 4, 3.0)
    c.add(a, alpha=6)


RANK_PATTERN = {"proj": 7, "layers.0.self_attn.q_proj": 2, "self_attn\\..*": 3, "q_proj": 6, "model.layers.1.mlp.(up|down)_proj": 5}
ALPHA_PATTERN = {"attn.q_proj": 100, "1.self_attn.q_proj": 3, "q_proj": 10, "layers\\.[01]\\.mlp\\..*_proj": 12, ".*mlp.gate_proj": 50}


def patterned(adapter, rslora):
    """A key matches whole components at the end of the name, the first one wins: "proj" and "attn.q_proj" match nothing."""
    for module in modules(2):
        part = module.split(".")[-1]
        rank, alpha = 4, 8
        if "self_attn" in module:
            rank = 2 if module == "model.layers.0.self_attn.q_proj" else 3
            if part == "q_proj":
                alpha = 3 if ".1." in module else 10
        else:
            alpha = 12
            if ".1." in module and part in ("up_proj", "down_proj"):
                rank = 5
        adapter.lora(module, rank, alpha / (rank ** 0.5 if rslora else rank))


@case
def patterns(c):
    """rank_pattern and alpha_pattern: regular expressions at the end of a module's name, from its beginning or behind a dot; the first that matches wins."""
    a = c.adapter(c.bases.base, rank_pattern=RANK_PATTERN, alpha_pattern=ALPHA_PATTERN)
    patterned(a, False)
    c.add(a)


@case
def patterns_rslora(c):
    """The same with rslora."""
    a = c.adapter(c.bases.base, dtype=BF16, rank_pattern=RANK_PATTERN, alpha_pattern=ALPHA_PATTERN, use_rslora=True)
    patterned(a, True)
    c.add(a)


@case
def wrong_rank(c):
    """The configuration says rank 16, the tensors have 2: theirs counts, also in the scale."""
    a = c.adapter(c.bases.base)
    all_projections(a, 2, 4.0)
    c.add(a, rank=16)


@case
def fan_in_fan_out(c):
    """The delta is (B A) transposed: B has as many rows as the matrix has columns."""
    a = c.adapter(c.bases.base, fan_in_fan_out=True)
    all_projections(a, 4, 2.0, transposed=True)
    c.add(a)


# ---- DoRA ----

@case
def dora(c):
    """DoRA on all seven projections: rows of W + delta are brought to the trained lengths. Keys as PEFT saves them."""
    a = c.adapter(c.bases.base, use_dora=True)
    all_projections(a, 4, 2.0, magnitude=".lora_magnitude_vector")
    c.add(a)


@case
def dora_spellings(c):
    """The magnitude's other keys: .weight of today's layer, .default of the first releases, both of a live model."""
    a = c.adapter(c.bases.base, dtype=F32, use_dora=True)
    spellings = [".lora_magnitude_vector.weight", ".lora_magnitude_vector.default", ".lora_magnitude_vector.default.weight", ".lora_magnitude_vector"]
    for i, module in enumerate(modules(2)):
        a.lora(module, 4, 2.0, magnitude=spellings[i % 4])
    c.add(a)


@case
def dora_rslora(c):
    """DoRA with rslora and an alpha_pattern."""
    a = c.adapter(c.bases.base, use_dora=True, use_rslora=True, alpha_pattern={"down_proj": 10})
    for module in modules(2):
        a.lora(module, 4, 5.0 if "down_proj" in module else 3.0, magnitude=".lora_magnitude_vector")
    c.add(a, alpha=6)


@case
def dora_fan_in_fan_out(c):
    """DoRA with fan_in_fan_out: the lengths are those of the columns of the stored matrix."""
    a = c.adapter(c.bases.base, use_dora=True, fan_in_fan_out=True)
    all_projections(a, 2, 2.0, transposed=True, magnitude=".lora_magnitude_vector")
    c.add(a, rank=2, alpha=4)


@case
def dora_after_plain(c):
    """A plain adapter, then DoRA on top: the lengths are those of the matrix with both deltas."""
    a = c.adapter(c.bases.base)
    all_projections(a, 2, 2.0)
    c.add(a, rank=2, alpha=4, name="first")
    a = c.adapter(c.bases.base, use_dora=True)
    all_projections(a, 2, 2.0, magnitude=".lora_magnitude_vector")
    c.add(a, rank=2, alpha=4, name="second")


# ---- embedding and output ----

VOCABULARY_TARGETS = ["q_proj", "v_proj", "embed_tokens", "lm_head"]


def attention(adapter, rank, scale, **spelling):
    for module in modules(2, ["self_attn.q_proj", "self_attn.v_proj"]):
        adapter.lora(module, rank, scale, **spelling)


@case
def embedding(c):
    """LoRA on the embedding (lora_embedding_A [r, vocabulary], lora_embedding_B [dim, r]) and on the output, as PEFT saves them."""
    a = c.adapter(c.bases.base)
    attention(a, 4, 2.0)
    a.embedding_lora(4, 2.0)
    a.lora(OUTPUT, 4, 2.0)
    c.add(a, targets=VOCABULARY_TARGETS)


@case
def embedding_default(c):
    """The same from a live model, with .default, rslora and another rank and alpha for the embedding."""
    a = c.adapter(c.bases.base, use_rslora=True, rank_pattern={"embed_tokens": 9}, alpha_pattern={"embed_tokens": 3})
    attention(a, 4, 3.0, a=".lora_A.default.weight", b=".lora_B.default.weight")
    a.embedding_lora(9, 1.0, ending=".default")
    a.lora(OUTPUT, 4, 3.0, a=".lora_A.default.weight", b=".lora_B.default.weight")
    c.add(a, alpha=6, targets=VOCABULARY_TARGETS)


@case
def embedding_base_layer(c):
    """PEFT's save_embedding_layers puts the matrices below the LoRA beside it (.base_layer.weight); here they have more rows, as after
    resize_token_embeddings: they replace, then the LoRA is added."""
    a = c.adapter(c.bases.base)
    attention(a, 4, 2.0)
    a.whole(EMBEDDING, ".base_layer.weight", rows=EXPANDED)
    a.embedding_lora(4, 2.0)
    a.whole(OUTPUT, ".base_layer.weight", rows=EXPANDED)
    a.lora(OUTPUT, 4, 2.0)
    a.files["tokenizer.model"] = lambda path: path.write_bytes(c.tokenizers[EXPANDED])
    c.ids = EXPANDED_IDS
    c.add(a, targets=VOCABULARY_TARGETS)


@case
def embedding_dora(c):
    """DoRA on the embedding has a length for each of its columns [dim], on the output one for each row [vocabulary]."""
    a = c.adapter(c.bases.base, use_dora=True)
    attention(a, 4, 2.0, magnitude=".lora_magnitude_vector")
    a.embedding_lora(4, 2.0, magnitude=".lora_magnitude_vector")
    a.lora(OUTPUT, 4, 2.0, magnitude=".lora_magnitude_vector")
    c.add(a, targets=VOCABULARY_TARGETS)


@case
def embedding_tied(c):
    """LoRA on the embedding of a tied base: merged, it is the output's, too."""
    a = c.adapter(c.bases.tied)
    attention(a, 4, 2.0)
    a.embedding_lora(4, 2.0)
    c.add(a, targets=["q_proj", "v_proj", "embed_tokens"])


@case
def untied_by_output(c):
    """A tied base gets an output of its own: an adapter brings lm_head whole and LoRA on the embedding."""
    a = c.adapter(c.bases.tied, modules_to_save=["lm_head"])
    attention(a, 4, 2.0)
    a.whole(OUTPUT)
    a.embedding_lora(4, 2.0)
    c.add(a, targets=["q_proj", "v_proj", "embed_tokens"])


@case
def untied_by_lora(c):
    """LoRA on the lm_head of a tied base: the output is the embedding with the delta, the embedding stays."""
    a = c.adapter(c.bases.tied)
    attention(a, 4, 2.0)
    a.lora(OUTPUT, 4, 2.0)
    c.add(a, targets=["q_proj", "v_proj", "lm_head"])


# ---- biases ----

@case
def bias_all(c):
    """bias = "all": every bias of the model; those below a LoRA are called .base_layer.bias, the others .bias."""
    a = c.adapter(c.bases.biased, bias="all")
    for module in modules(2):
        if "self_attn" in module:
            a.lora(module, 4, 2.0)
            a.bias(module, ".base_layer.bias")
        else:
            a.bias(module)
    c.add(a, targets=["q_proj", "k_proj", "v_proj", "o_proj"])


@case
def bias_lora_only(c):
    """bias = "lora_only": the biases of the modules that have LoRA, in the older spelling without base_layer."""
    a = c.adapter(c.bases.biased, bias="lora_only")
    for module in modules(2, ["self_attn.q_proj", "self_attn.k_proj", "mlp.down_proj"]):
        a.lora(module, 4, 2.0)
        a.bias(module)
    c.add(a, targets=["q_proj", "k_proj", "down_proj"])


@case
def lora_bias(c):
    """lora_bias: lora_B has a bias, which is scaled and added to the base's."""
    a = c.adapter(c.bases.biased, lora_bias=True)
    for i, module in enumerate(modules(2)):
        if i % 2:
            a.lora(module, 2, 2.0, bias=".lora_B.bias")
        else:
            a.lora(module, 2, 2.0, a=".lora_A.default.weight", b=".lora_B.default.weight", bias=".lora_B.default.bias")
    c.add(a, rank=2, alpha=4)


@case
def lora_bias_without_base_bias(c):
    """lora_bias on a base without biases: the model has some from here on. PEFT computes so, and cannot merge it."""
    a = c.adapter(c.bases.base, lora_bias=True)
    all_projections(a, 2, 2.0, bias=".lora_B.bias")
    c.add(a, rank=2, alpha=4)


# ---- whole modules ----

@case
def modules_to_save(c):
    """modules_to_save in every spelling: PEFT's own, and those of a live model with the frozen original beside, which is ignored; norms, the
    vocabulary's matrices, a projection, and a module of modules (mlp)."""
    a = c.adapter(c.bases.base, modules_to_save=["embed_tokens", "lm_head", "norm", "layers.1.mlp", "layers.0.self_attn.o_proj"])
    attention(a, 4, 2.0)
    a.whole(EMBEDDING)
    a.whole(OUTPUT, ".modules_to_save.default.weight")
    a.whole("model.norm", ".modules_to_save.weight", dtype=F32)
    a.decoy("model.norm", ".original_module.weight")
    a.whole("model.layers.0.input_layernorm", ".modules_to_save.default.weight", dtype=BF16)
    a.whole("model.layers.1.input_layernorm")
    a.whole("model.layers.0.post_attention_layernorm", ".modules_to_save.weight")
    a.whole("model.layers.1.post_attention_layernorm")
    a.whole("model.layers.0.self_attn.o_proj", dtype=BF16)
    for name in "gate_proj", "up_proj", "down_proj":
        a.whole("model.layers.1.mlp." + name, ".weight")
        a.decoy("model.layers.1.mlp." + name, ".original.weight")
    a.rename(lambda key: key.replace(".mlp.down_proj.weight", ".mlp.modules_to_save.down_proj.weight") if key.endswith("down_proj.weight") else
             key.replace(".mlp.", ".mlp.original_module.").replace(".original.weight", ".weight") if key.endswith(".original.weight") else
             key.replace(".mlp.", ".mlp.modules_to_save.default.") if key.endswith("gate_proj.weight") else key)
    c.add(a, targets=["q_proj", "v_proj"])


def norms(adapter):
    """All of them: a module's name need only end in "norm" for PEFT."""
    for module in ["model.norm"] + modules(2, ["input_layernorm", "post_attention_layernorm"]):
        adapter.whole(module)


@case
def bare_names(c):
    """An adapter of a LlamaModel, without lm_head: no second "model." in its keys."""
    a = c.adapter(c.bases.base, modules_to_save=["norm", "embed_tokens"], task_type="FEATURE_EXTRACTION")
    all_projections(a, 2, 2.0)
    norms(a)
    a.whole(EMBEDDING)
    a.rename(lambda key: key.replace(PREFIX + "model.", PREFIX))
    c.add(a, rank=2, alpha=4)


@case
def no_prefix(c):
    """Keys without PEFT's base_model.model."""
    a = c.adapter(c.bases.base, modules_to_save=["norm"])
    all_projections(a, 2, 2.0)
    norms(a)
    a.rename(lambda key: key.removeprefix(PREFIX))
    c.add(a, rank=2, alpha=4)


# ---- single tokens ----

@case
def trainable_tokens(c):
    """trainable_token_indices as a list: rows of the embedding; what PEFT calls their delta replaces them."""
    indices = [299, 17, 5]
    a = c.adapter(c.bases.base, trainable_token_indices=indices)
    attention(a, 4, 2.0)
    a.token_rows(indices, "")
    c.add(a, targets=["q_proj", "v_proj"])


@case
def trainable_tokens_of_both(c):
    """As an object, for embedding and output, from a live model with the original rows beside."""
    indices = {"embed_tokens": [17, 299], "lm_head": [1, 30, 298]}
    a = c.adapter(c.bases.base, trainable_token_indices=indices)
    attention(a, 4, 2.0)
    a.token_rows(indices["embed_tokens"], ".default", originals=".default")
    a.token_rows(indices["lm_head"], ".default", module=OUTPUT, originals=".default")
    c.add(a, targets=["q_proj", "v_proj"])


@case
def trainable_tokens_tied(c):
    """On a tied base the output's rows follow."""
    indices = [280, 1, 100]
    a = c.adapter(c.bases.tied, trainable_token_indices={"embed_tokens": indices})
    attention(a, 4, 2.0)
    a.token_rows(indices, "", originals="")
    c.add(a, targets=["q_proj", "v_proj"])


@case
def trainable_tokens_resized(c):
    """The vocabulary was enlarged first: PEFT saves the whole matrix below the trained rows, too. The base is tied, the output follows."""
    indices = [310, 319, 1]
    a = c.adapter(c.bases.tied, trainable_token_indices=indices)
    attention(a, 4, 2.0)
    a.whole(EMBEDDING, ".token_adapter.base_layer.weight", rows=EXPANDED)
    a.token_rows(indices, "", originals="")
    a.files["tokenizer.model"] = lambda path: path.write_bytes(c.tokenizers[EXPANDED])
    c.ids = EXPANDED_IDS
    c.add(a, targets=["q_proj", "v_proj"])
