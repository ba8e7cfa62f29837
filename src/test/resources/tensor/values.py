"""Makes values.f32: 24 blocks of 256 of normal, heavy-tailed and real weights, then two of awkward ones. Usage: values.py examples/demo-model/base"""
import json, struct, sys
import numpy as np

random = np.random.default_rng(20250101)
normal = random.standard_normal(8 * 256) * 0.02
heavy = random.standard_t(4, 8 * 256) * 0.02
with open(sys.argv[1] + "/model.safetensors", "rb") as file:
    header_bytes = struct.unpack("<Q", file.read(8))[0]
    header = json.loads(file.read(header_bytes))
    begin, end = header["model.layers.2.mlp.down_proj.weight"]["data_offsets"]
    file.seek(8 + header_bytes + begin)
    real = np.frombuffer(file.read(end - begin), "<f2").astype(np.float32)[: 8 * 256]
awkward = np.zeros((16, 32), np.float32)
awkward[1] = -0.0
awkward[2, ::3] = -0.0
awkward[3] = 0.25
awkward[4] = -0.25
awkward[5, 7] = 1000.0
awkward[6, 31] = -1000.0
awkward[7] = np.arange(32) / 8
awkward[8] = -np.arange(32) / 8
awkward[9] = np.arange(32) - 16
awkward[10] = 1 + np.arange(32) * 1e-3
awkward[11] = np.where(np.arange(32) % 2, -4, 4)
awkward[12] = np.where(np.arange(32) % 2, 4, -4)
awkward[13] = np.arange(32) * 1e-7
awkward[14] = random.standard_normal(32) * 1e-20
awkward[15, 16:] = random.standard_normal(16) * 30000
np.concatenate([normal, heavy, real, awkward.ravel()]).astype("<f4").tofile("values.f32")
