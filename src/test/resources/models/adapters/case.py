"""One case: its folder, its adapters, the logits that they lead to."""
import inspect
import json

import files
from adapter import Adapter
from bases import HERE, VOCABULARY, seed
from reference import PROJECTIONS, forward, merge, modules

CASES = HERE / "cases"
IDS = [1, 262, 299, 17]
EXPANDED_IDS = [1, 310, 319, 280]
PADDED_IDS = [1, 310, 320, 299]
# A case whose logits are everywhere closer than this to those of the base would prove nothing.
LEAST_CHANGE = 0.2
CASE_MAKERS = []


def case(maker):
    CASE_MAKERS.append(maker)
    return maker


def all_projections(adapter, rank, scale, **spelling):
    for module in modules(2):
        adapter.lora(module, rank, scale, **spelling)


class Case:
    """One folder: what it shows is the maker's documentation."""

    def __init__(self, maker, tokenizers, bases, made):
        self.name = maker.__name__.replace("_", "-")
        self.what = " ".join(inspect.getdoc(maker).split())
        self.tokenizers, self.bases, self.made = tokenizers, bases, made
        self.folder = CASES / self.name
        self.folder.mkdir(parents=True)
        self.loras, self.adapters, self.scales, self.ids, self.extra, self.facts, self.logits = [], [], [], IDS, {}, [], None

    def adapter(self, base, **config):
        self.base = base
        return Adapter(base, seed(self.name + str(len(self.adapters))), **config)

    def add(self, adapter, rank=4, alpha=8, targets=None, name="lora", scale=1.0, write=True):
        if write:
            adapter.write(self.folder / name, rank, alpha, targets or [module.split(".")[-1] for module in PROJECTIONS])
        self.loras.append(name)
        self.adapters.append(adapter)
        self.scales.append(scale)

    def finish(self):
        if self.logits is None:
            self.logits = forward(self.base.config, merge(self.base, self.adapters, self.scales), self.ids)
        self.write(self.logits)

    def add_made(self, name, scale=1.0, base=None):
        """The last adapter of an earlier case, perhaps on another base."""
        made = self.made[name]
        self.base, self.ids = base or made.base, made.ids
        self.adapters.append(made.adapters[-1])
        self.scales.append(scale)
        self.loras.append("../%s/%s" % (name, made.loras[-1]))

    def write(self, logits):
        base_ids = [i if i < VOCABULARY else 0 for i in self.ids]
        before = forward(self.base.config, self.base.parameters, base_ids)
        change = (logits[:, :VOCABULARY] - before).abs().max().item()
        assert not self.adapters or change >= LEAST_CHANGE, (self.name, change)
        assert logits.isfinite().all() and logits.abs().max() < 60, (self.name, logits.abs().max())
        vocabulary, facts = self.base.config["vocab_size"], []
        for i, adapter in enumerate(self.adapters):
            vocabulary = adapter.vocabulary or vocabulary
            more = self.facts[i] if i < len(self.facts) else {}
            facts.append(dict(adapter.facts, vocabulary=vocabulary, **more))
        content = dict(what=self.what, base=self.base.name, ids=self.ids, loras=self.loras, vocab=vocabulary, merge=facts)
        if any(scale != 1 for scale in self.scales):
            content["scales"] = self.scales
        content.update(self.extra)
        (self.folder / "case.json").write_text(json.dumps(content, ensure_ascii=False) + "\n")
        (self.folder / "logits.f32").write_bytes(files.raw(logits))
        print("%-28s changes logits by up to %5.2f, largest %5.1f" % (self.name, change, logits.abs().max()))
