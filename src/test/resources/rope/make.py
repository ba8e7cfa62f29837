"""Writes angles.csv: cosines and sines of RoPE's scalings, from the published formulas with 40 digits. Needs mpmath.

    python3 make.py > angles.csv
"""
from mpmath import ceil, cos, floor, log, mp, mpf, nstr, pi, sin

mp.dps = 40


def plain(theta, dim, pair):
    return mpf(theta) ** (mpf(-2 * pair) / dim)


def linear(theta, dim, pair, length, factor):
    return plain(theta, dim, pair) / factor, 1


def ntk(theta, dim, pair, length, alpha):
    return plain(mpf(theta) * mpf(alpha) ** (mpf(dim) / (dim - 2)), dim, pair), 1


def dynamic(theta, dim, pair, length, factor, original):
    alpha = mpf(factor) * length / original - (factor - 1) if length > original else mpf(1)
    return ntk(theta, dim, pair, length, alpha)


def yarn(theta, dim, pair, length, factor, original, fast=32, slow=1, attention=None, truncate=True):
    def pair_of(turns):
        return mpf(dim) / 2 * log(original / (2 * pi * turns)) / log(mpf(theta))

    low, high = pair_of(fast), pair_of(slow)
    if truncate:
        low, high = floor(low), ceil(high)
    low, high = max(low, 0), min(high, dim - 1)
    kept = 1 - min(1, max(0, (pair - low) / (high - low)))
    frequency = plain(theta, dim, pair)
    magnitude = log(mpf(factor)) / 10 + 1 if attention is None else mpf(attention)
    return frequency * kept + frequency / factor * (1 - kept), magnitude


def llama3(theta, dim, pair, length, factor, low, high, original):
    frequency = plain(theta, dim, pair)
    wavelength = 2 * pi / frequency
    if wavelength < mpf(original) / high:
        return frequency, 1
    if wavelength > mpf(original) / low:
        return frequency / factor, 1
    smooth = (original / wavelength - low) / (high - low)
    return (1 - smooth) * frequency / factor + smooth * frequency, 1


def rows(name, scaling, arguments, dim, theta, places, pairs):
    for position, length in places:
        for pair in pairs:
            frequency, magnitude = scaling(theta, dim, pair, length, *arguments)
            angle = position * frequency
            print(name, dim, theta, position, length, pair, nstr(cos(angle) * magnitude, 10), nstr(sin(angle) * magnitude, 10), sep=",")


def from_start(*positions):
    return [(position, position + 1) for position in positions]


print("scaling,headDim,theta,position,length,pair,cosine,sine")
rows("linear", linear, (4,), 128, 10000, from_start(3, 1000, 7777), (0, 9, 31, 63))
rows("ntk", ntk, (4,), 128, 10000, from_start(3, 1000, 7777), (0, 9, 31, 63))
rows("dynamic", dynamic, (2, 2048), 128, 10000, [(3, 4), (3, 2048), (3, 5000), (2048, 2049), (7777, 7778), (7777, 8000)], (0, 9, 31, 63))
rows("yarn", yarn, (16, 4096), 128, 10000, from_start(3, 1000, 50000), (0, 20, 27, 33, 45, 46, 63))
rows("yarn-unusual", yarn, (4, 32768, 24, 2, 1.25, False), 64, 1000000, from_start(3, 7777), (0, 9, 14, 17, 20, 31))
rows("llama3", llama3, (8, 1, 4, 8192), 128, 500000, from_start(3, 1000, 100000), (0, 20, 29, 32, 35, 40, 63))
