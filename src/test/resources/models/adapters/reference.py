"""LLaMA and the merge arithmetic, dense and in float64: what the cases are held against."""
import torch

PROJECTIONS = ["self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj", "self_attn.o_proj", "mlp.gate_proj", "mlp.up_proj", "mlp.down_proj"]
EMBEDDING = "model.embed_tokens"
OUTPUT = "lm_head"


def modules(layers, names=PROJECTIONS):
    return ["model.layers.%d.%s" % (layer, name) for layer in range(layers) for name in names]


class Base:
    """A model: its config.json and its parameters, float64, by their Hugging Face names."""

    def __init__(self, name, config, parameters):
        self.name, self.config, self.parameters = name, config, parameters

    def shape(self, module):
        return list(self.parameters[EMBEDDING + ".weight" if module == OUTPUT and self.tied() else module + ".weight"].shape)

    def tied(self):
        return self.config["tie_word_embeddings"]


def rms_norm(x, weight, eps):
    return x / (x.pow(2).mean(-1, keepdim=True) + eps).sqrt() * weight


def rotate(x, positions, theta):
    """RoPE over halves of a head. x [tokens, heads, head_dim]."""
    half = x.shape[-1] // 2
    angle = positions[:, None] * theta ** (-torch.arange(half, dtype=torch.float64) / half)
    cos, sin = angle.cos()[:, None], angle.sin()[:, None]
    a, b = x[..., :half], x[..., half:]
    return torch.cat([a * cos - b * sin, b * cos + a * sin], -1)


def forward(config, parameters, ids):
    """Logits [tokens, vocabulary], float32, of weights rounded to float32 once, computed in float64."""
    w = {name: value.float().double() for name, value in parameters.items()}
    n, heads, kv_heads, eps = len(ids), config["num_attention_heads"], config["num_key_value_heads"], config["rms_norm_eps"]
    positions = torch.arange(n, dtype=torch.float64)
    mask = torch.full((n, n), float("-inf"), dtype=torch.float64).triu(1)

    def linear(x, module):
        y = x @ w[module + ".weight"].T
        return y + w[module + ".bias"] if module + ".bias" in w else y

    x = w[EMBEDDING + ".weight"][torch.tensor(ids)]
    for layer in range(config["num_hidden_layers"]):
        at = "model.layers.%d." % layer
        h = rms_norm(x, w[at + "input_layernorm.weight"], eps)
        q = rotate(linear(h, at + "self_attn.q_proj").view(n, heads, -1), positions, config["rope_theta"])
        k = rotate(linear(h, at + "self_attn.k_proj").view(n, kv_heads, -1), positions, config["rope_theta"])
        v = linear(h, at + "self_attn.v_proj").view(n, kv_heads, -1)
        k, v = (t.repeat_interleave(heads // kv_heads, 1) for t in (k, v))
        scores = torch.einsum("ihd,jhd->hij", q, k) / q.shape[-1] ** 0.5 + mask
        mixed = torch.einsum("hij,jhd->ihd", scores.softmax(-1), v).reshape(n, -1)
        x = x + linear(mixed, at + "self_attn.o_proj")
        h = rms_norm(x, w[at + "post_attention_layernorm.weight"], eps)
        gate = linear(h, at + "mlp.gate_proj")
        x = x + linear(gate * gate.sigmoid() * linear(h, at + "mlp.up_proj"), at + "mlp.down_proj")
    x = rms_norm(x, w["model.norm.weight"], eps)
    return (x @ w.get(OUTPUT + ".weight", w[EMBEDDING + ".weight"]).T).float()


def merge(base, adapters, scales):
    """The parameters after all adapters, float64. An adapter's operations all see its user's scale; those on a tied output see the
    embedding as it was before the adapter."""
    w = dict(base.parameters)
    for adapter, user in zip(adapters, scales):
        before = dict(w)
        for parameter, change in adapter.operations:
            if parameter == OUTPUT + ".weight" and parameter not in w:
                w[parameter] = before[EMBEDDING + ".weight"]
            w[parameter] = change(w.get(parameter), user)
    return w


def added(a, b, scale, transposed=False):
    """W + scale B A, or with its transpose. a [rank, in], b [out, rank]."""
    delta = b.double() @ a.double()
    delta = delta.T if transposed else delta
    return lambda w, user: w + user * scale * delta


def normalized(a, b, scale, magnitude, columns=False, transposed=False):
    """DoRA: (W + delta) with each row (or column) brought to the length that the magnitude says."""
    plain = added(a, b, scale, transposed)
    m = magnitude.double()

    def change(w, user):
        v = plain(w, user)
        length = v.pow(2).sum(0 if columns else 1).sqrt()
        return v * (m / length) if columns else v * (m / length)[:, None]
    return change


def replaced(tensor):
    return lambda w, user: tensor.double()


def rows_replaced(indices, rows):
    def change(w, user):
        w = w.clone()
        w[torch.tensor(indices)] = rows.double()
        return w
    return change


def bias_added(bias, scale):
    return lambda b, user: (0 if b is None else b) + user * scale * bias.double()
