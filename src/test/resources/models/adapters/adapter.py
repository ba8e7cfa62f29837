"""One adapter of a case: its files, and the same thing as operations on dense parameters. The keys of the files are spelled by each case;
ranks, alphas and scales of the operations are given, not read from the configuration."""
import json

import torch

import files
from reference import EMBEDDING, added, bias_added, normalized, replaced, rows_replaced

PREFIX = "base_model.model."


class Adapter:
    def __init__(self, base, seed, dtype=torch.float16, **config):
        self.base, self.dtype = base, dtype
        self.random = torch.Generator().manual_seed(seed)
        self.config = config
        self.tensors, self.operations, self.lengths = {}, [], {}
        self.facts = dict(changed=0, replaced=0, resized=0, biases=0, rows=0)
        self.vocabulary, self.files = None, {}

    def normal(self, *shape, std):
        """Random numbers that the adapter's type holds exactly."""
        return (torch.randn(*shape, generator=self.random, dtype=torch.float64) * std).to(self.dtype)

    def lora(self, module, rank, scale, a=".lora_A.weight", b=".lora_B.weight", transposed=False, bias=None, magnitude=None, std=0.13):
        """W += scale B A. A bias or a magnitude (DoRA) is made if the ending of its key is given."""
        rows, columns = self.lengths.get(module) or self.base.shape(module)
        out, inputs = (columns, rows) if transposed else (rows, columns)
        left, right = self.normal(out, rank, std=std), self.normal(rank, inputs, std=std)
        self.tensors[PREFIX + module + a] = right
        self.tensors[PREFIX + module + b] = left
        if magnitude:
            m = self.magnitude(module, 0 if transposed else 1)
            self.tensors[PREFIX + module + magnitude] = m
            change = normalized(right, left, scale, m, columns=transposed, transposed=transposed)
        else:
            change = added(right, left, scale, transposed)
        self.operations.append((module + ".weight", change))
        self.facts["changed"] += 1
        if bias:
            values = self.normal(out, std=0.4)
            self.tensors[PREFIX + module + bias] = values
            self.operations.append((module + ".bias", bias_added(values, scale)))
            self.facts["biases"] += 1

    def embedding_lora(self, rank, scale, ending="", magnitude=None):
        """lora_embedding_A [rank, vocabulary], lora_embedding_B [dim, rank]; the delta is (B A) transposed. DoRA's magnitude is by column."""
        rows, columns = self.lengths.get(EMBEDDING) or self.base.shape(EMBEDDING)
        right, left = self.normal(rank, rows, std=0.5), self.normal(columns, rank, std=0.5)
        self.tensors[PREFIX + EMBEDDING + ".lora_embedding_A" + ending] = right
        self.tensors[PREFIX + EMBEDDING + ".lora_embedding_B" + ending] = left
        if magnitude:
            m = self.magnitude(EMBEDDING, 0)
            self.tensors[PREFIX + EMBEDDING + magnitude] = m
            change = normalized(right, left, scale, m, columns=True, transposed=True)
        else:
            change = added(right, left, scale, transposed=True)
        self.operations.append((EMBEDDING + ".weight", change))
        self.facts["changed"] += 1

    def magnitude(self, module, dimension):
        """Lengths of the base's rows or columns, as DoRA begins, and trained away from there by up to a half."""
        weight = self.base.parameters.get(module + ".weight", self.base.parameters[EMBEDDING + ".weight"])
        lengths = weight.pow(2).sum(dimension).sqrt()
        return (lengths * (0.75 + torch.rand(len(lengths), generator=self.random, dtype=torch.float64))).to(self.dtype)

    def whole(self, module, key=".weight", rows=None, std=None, dtype=None):
        """A whole matrix or norm, with more rows than the base's if asked for."""
        shape = list(self.base.shape(module))
        grown = rows is not None and rows != shape[0]
        shape[0] = rows or shape[0]
        if len(shape) == 1:
            values = (1 + 0.3 * torch.randn(*shape, generator=self.random, dtype=torch.float64)).to(dtype or self.dtype)
        else:
            std = std or (0.5 if module == EMBEDDING else shape[1] ** -0.5)
            values = self.normal(*shape, std=std).to(dtype or self.dtype)
        self.tensors[PREFIX + module + key] = values
        self.operations.append((module + ".weight", replaced(values)))
        self.facts["replaced"] += 1
        self.facts["resized"] += 1 if grown else 0
        if rows:
            self.lengths[module] = shape
            self.vocabulary = rows
        return values

    def base_layer(self, module, key=".base_layer.weight"):
        """The base's own matrix beside a LoRA on it, as PEFT's save_embedding_layers keeps it."""
        values = self.base.parameters[module + ".weight"].to(self.dtype)
        self.tensors[PREFIX + module + key] = values
        self.operations.append((module + ".weight", replaced(values)))
        self.facts["replaced"] += 1

    def bias(self, module, key=".bias"):
        values = self.normal(self.base.shape(module)[0], std=0.5)
        self.tensors[PREFIX + module + key] = values
        self.operations.append((module + ".bias", replaced(values)))
        self.facts["biases"] += 1

    def token_rows(self, indices, ending, module=EMBEDDING, originals=None):
        """Rows of trained tokens. The originals, of which raw state dicts have a copy, mean nothing."""
        values = self.normal(len(indices), self.base.shape(module)[1], std=0.8)
        key = PREFIX + module + ".token_adapter."
        self.tensors[key + "trainable_tokens_delta" + ending] = values
        if originals is not None:
            self.tensors[key + "trainable_tokens_original" + originals] = self.normal(*values.shape, std=9)
        self.operations.append((module + ".weight", rows_replaced(indices, values)))
        self.facts["rows"] += len(indices)

    def decoy(self, module, key, dtype=None):
        """A tensor that must be ignored, with values that would show."""
        shape = self.base.shape(module)
        self.tensors[PREFIX + module + key] = self.normal(*shape, std=9).to(dtype or self.dtype)

    def rename(self, change):
        self.tensors = {change(name): tensor for name, tensor in self.tensors.items()}

    def write_config(self, folder, rank, alpha, targets):
        config = dict(alpha_pattern={}, auto_mapping=None, base_model_name_or_path=self.base.name, bias="none", fan_in_fan_out=False,
                      inference_mode=True, init_lora_weights=True, layer_replication=None, layers_pattern=None, layers_to_transform=None,
                      loftq_config={}, lora_alpha=alpha, lora_bias=False, lora_dropout=0.05, megatron_config=None,
                      megatron_core="megatron.core", modules_to_save=None, peft_type="LORA", r=rank, rank_pattern={}, revision=None,
                      target_modules=targets, target_parameters=None, task_type="CAUSAL_LM", trainable_token_indices=None, use_dora=False,
                      use_qalora=False, use_rslora=False)
        config.update(self.config)
        (folder / "adapter_config.json").write_text(json.dumps(config, ensure_ascii=False) + "\n")

    def write(self, folder, rank, alpha, targets):
        """The configuration and whatever is in files; a safetensors file unless that has other weights."""
        folder.mkdir(parents=True)
        self.write_config(folder, rank, alpha, targets)
        if not any(name.startswith("adapter_model") for name in self.files):
            files.write_safetensors(folder / "adapter_model.safetensors", self.tensors, {"format": "pt"})
        for name, write in self.files.items():
            write(folder / name)


