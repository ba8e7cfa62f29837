"""Writers of the files that the cases consist of: safetensors, SentencePiece models, GGUF. Nothing here knows what an adapter means."""
import json
import struct

import numpy as np
import torch

SAFETENSORS_TYPES = {torch.float32: "F32", torch.float16: "F16", torch.bfloat16: "BF16"}


def raw(tensor):
    """The tensor's bytes, row-major, little-endian."""
    return tensor.contiguous().view(torch.uint8).numpy().tobytes() if tensor.numel() else b""


def write_safetensors(path, tensors, metadata=None):
    """Eight bytes of header length, a JSON header padded with spaces to a multiple of 8, the data."""
    header, data, at = {}, [], 0
    if metadata:
        header["__metadata__"] = metadata
    for name, tensor in tensors.items():
        content = raw(tensor)
        header[name] = {"dtype": SAFETENSORS_TYPES[tensor.dtype], "shape": list(tensor.shape), "data_offsets": [at, at + len(content)]}
        data.append(content)
        at += len(content)
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    path.write_bytes(struct.pack("<Q", len(text)) + text + b"".join(data))


# SentencePiece: ModelProto { repeated SentencePiece pieces = 1 }, SentencePiece { string piece = 1; float score = 2; Type type = 3 }.

def varint(value):
    out = bytearray()
    while value > 127:
        out.append(value & 127 | 128)
        value >>= 7
    return bytes(out) + bytes([value])


def read_varint(data, at):
    value = shift = 0
    while True:
        byte = data[at]
        at += 1
        value |= (byte & 127) << shift
        shift += 7
        if byte < 128:
            return value, at


def fields(data):
    """(number, value) of each field of a protobuf message; value is int, float or bytes."""
    at = 0
    while at < len(data):
        key, at = read_varint(data, at)
        kind = key & 7
        if kind == 0:
            value, at = read_varint(data, at)
        elif kind == 5:
            value, at = struct.unpack_from("<f", data, at)[0], at + 4
        elif kind == 2:
            length, at = read_varint(data, at)
            value, at = data[at:at + length], at + length
        else:
            raise ValueError("wire type %d" % kind)
        yield key >> 3, value


def piece(text, score, kind=1):
    content = b"\x0a" + varint(len(text.encode())) + text.encode() + b"\x15" + struct.pack("<f", score)
    content += b"\x18" + varint(kind) if kind != 1 else b""
    return b"\x0a" + varint(len(content)) + content


def pieces(model):
    """(text, score, type) of each piece of a SentencePiece model."""
    found = []
    for number, value in fields(model):
        if number == 1:
            parts = dict(fields(value))
            found.append((parts[1].decode(), parts.get(2, 0.0), parts.get(3, 1)))
    return found


def with_more_pieces(model, added):
    """The same model with pieces after its own; protobuf allows the repeated field to go on at the end."""
    return model + b"".join(piece(*one) for one in added)


# GGUF v3.

GGML_F32, GGML_F16, GGML_Q4_0, GGML_Q8_0 = 0, 1, 2, 8
ALIGNMENT = 32


def q8_0(matrix):
    """Blocks of 32: a half scale, 32 int8."""
    blocks = matrix.float().reshape(-1, 32)
    d = blocks.abs().amax(1) / 127
    scaled = blocks * torch.where(d > 0, 1 / d, torch.zeros(()))[:, None]
    # Halves away from zero.
    q = (scaled.abs() + 0.5).floor().copysign(scaled).to(torch.int8)
    d = d.half()
    return torch.cat([d[:, None].view(torch.uint8), q.view(torch.uint8)], 1).numpy().tobytes(), (q.double() * d.double()[:, None]).reshape(matrix.shape)


def q4_0(matrix):
    """Blocks of 32: a half scale, 16 bytes; element i in the low four bits of byte i, element i + 16 in the high ones."""
    blocks = matrix.float().reshape(-1, 32)
    extreme = blocks.gather(1, blocks.abs().argmax(1, keepdim=True))[:, 0]
    d = extreme / -8
    q = (blocks * torch.where(d != 0, 1 / d, torch.zeros(()))[:, None] + 8.5).floor().clamp(0, 15).to(torch.uint8)
    d = d.half()
    packed = q[:, :16] | q[:, 16:] << 4
    return torch.cat([d[:, None].view(torch.uint8), packed], 1).numpy().tobytes(), ((q.double() - 8) * d.double()[:, None]).reshape(matrix.shape)


def encode(tensor, kind):
    """(bytes, the values that they mean in float64)."""
    if kind == GGML_F32:
        return raw(tensor.float()), tensor.float().double()
    if kind == GGML_F16:
        return raw(tensor.half()), tensor.half().double()
    return q8_0(tensor) if kind == GGML_Q8_0 else q4_0(tensor)


def gguf_string(text):
    content = text.encode()
    return struct.pack("<Q", len(content)) + content


def gguf_value(value):
    """(type number, bytes)."""
    if isinstance(value, bool):
        return 7, struct.pack("<?", value)
    if isinstance(value, int):
        return 4, struct.pack("<I", value)
    if isinstance(value, float):
        return 6, struct.pack("<f", value)
    if isinstance(value, str):
        return 8, gguf_string(value)
    if isinstance(value, np.ndarray):
        kind = {"int32": 5, "float32": 6}[value.dtype.name]
        return 9, struct.pack("<IQ", kind, len(value)) + value.tobytes()
    return 9, struct.pack("<IQ", 8, len(value)) + b"".join(gguf_string(text) for text in value)


def write_gguf(path, metadata, tensors):
    """tensors: name -> (tensor, GGML type). Returns the values that were stored, in float64, by name."""
    infos, data, stored, at = b"", b"", {}, 0
    for name, (tensor, kind) in tensors.items():
        content, stored[name] = encode(tensor, kind)
        infos += gguf_string(name) + struct.pack("<I", tensor.dim())
        infos += b"".join(struct.pack("<Q", size) for size in reversed(tensor.shape)) + struct.pack("<IQ", kind, at)
        content += b"\0" * (-len(content) % ALIGNMENT)
        data += content
        at += len(content)
    head = b"GGUF" + struct.pack("<IQQ", 3, len(tensors), len(metadata))
    for key, value in metadata.items():
        kind, content = gguf_value(value)
        head += gguf_string(key) + struct.pack("<I", kind) + content
    head += infos
    path.write_bytes(head + b"\0" * (-len(head) % ALIGNMENT) + data)
    return stored
