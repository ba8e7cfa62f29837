"""Makes small.pth with PyTorch 2: a few tensors under Meta's names, one of a type that is no weight's."""
import torch

torch.save(
    {
        "tok_embeddings.weight": torch.arange(32, dtype=torch.float16).reshape(8, 4),
        "norm.weight": torch.ones(4),
        "layers.0.attention.wq.weight": torch.zeros(4, 4, dtype=torch.bfloat16),
        "positions": torch.arange(3),
    },
    "small.pth",
)
