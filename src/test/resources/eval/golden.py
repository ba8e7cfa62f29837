#!/usr/bin/env python3
"""Computes golden.json: how alike pairs of texts are, and the scores of examples/eval/pclue.jsonl.

Needs the Python package `rouge` (1.0.1), which pCLUE's own script uses; longest common subsequences are computed here.

    python3 src/test/resources/eval/golden.py > src/test/resources/eval/golden.json
"""
import json
import pathlib

from rouge import Rouge

ROOT = pathlib.Path(__file__).resolve().parents[4]


def normalized(text):
    return " ".join(text.lower().split())


def common(a, b):
    """Length of the longest common subsequence, from the end of both texts."""
    best = [[0] * (len(b) + 1) for _ in range(len(a) + 1)]
    for i in reversed(range(len(a))):
        for j in reversed(range(len(b))):
            best[i][j] = best[i + 1][j + 1] + 1 if a[i] == b[j] else max(best[i + 1][j], best[i][j + 1])
    return best[0][0]


def f1(a, b):
    return 2 * common(a, b) / (len(a) + len(b)) if a or b else 0.0


def rouge_l(target, prediction):
    try:
        return Rouge(metrics=["rouge-l"]).get_scores(" ".join(prediction), " ".join(target))[0]["rouge-l"]["f"]
    except ValueError:
        return 0.0  # the package refuses a text without words


def target_of(line):
    target = json.loads(line.replace("，", ","))["target"]
    return "，".join(target) if isinstance(target, list) else target


def scores(data, predictions):
    lists = {"classify": [], "nli": [], "generate": [], "em": [], "f1": []}
    with open(data, encoding="utf-8") as tasks, open(predictions, encoding="utf-8") as answers:
        for task, answer in zip(tasks, answers, strict=True):
            target, answer = normalized(target_of(task)), normalized(json.loads(answer)["target"])
            kind = json.loads(task)["type"]
            if kind == "mrc":
                lists["em"].append(float(target == answer))
                lists["f1"].append(f1(answer, target))
            elif kind == "generate":
                lists["generate"].append(rouge_l(target, answer))
            else:
                lists["nli" if kind == "nli" else "classify"].append(float(target == answer))
    means = {name: sum(values) / len(values) for name, values in lists.items()}
    mrc = (means["em"] + means["f1"]) / 2
    return {
        "score": (means["classify"] + means["nli"] + means["generate"] + mrc) / 4,
        "classify_score": means["classify"],
        "nli_score": means["nli"],
        "generate_score": means["generate"],
        "mrc_em_score": means["em"],
        "mrc_f1_score": means["f1"],
    }


PAIRS = [
    ("春眠不觉晓", "春眠不觉晓"),
    ("春眠不觉晓", "春天睡觉不知晓"),
    ("", ""),
    ("", "空"),
    ("a", ""),
    (".", "."),
    ("a.", ".a"),
    ("a..b", "a.b"),
    ("a...b", "b...a"),
    (". .", "a"),
    ("  两 个\t空格\n", "两 个 空格"),
    ("\u3000全角\u00a0空格\u2003", "全角 空格"),
    ("\u001c控制\u0085字符", "控制 字符"),
    ("Straße İstanbul ΣΑΣ", "straße i̇stanbul σας"),
    ("ABCABBA", "CBABAC"),
    ("aabbaabb", "abababab"),
    ("今天天气很好.我们去公园.", "我们今天去公园.天气很好."),
    ("一二三四五六七八九十", "十九八七六五四三二一"),
    ("😀😃😄山", "😀山😄"),
    ("𠮷野家的牛肉饭", "吉野家牛肉饭"),
    ("机器翻译，自然语言处理，神经网络", "自然语言处理,机器翻译,神经网络"),
    ("The quick brown fox. It jumps over the lazy dog.", "A quick fox jumps. The dog is lazy."),
    ("一个很长的句子" * 20, "很长的一个句子" * 15),
    ("x.y.z." * 6, "z.x.y." * 5),
]

pairs = [
    {"a": a, "b": b, "normalized": normalized(a), "f1": f1(a, b), "rouge_l": rouge_l(normalized(a), normalized(b))}
    for a, b in PAIRS
]
result = {"pairs": pairs, "pclue": scores(ROOT / "examples/eval/pclue.jsonl", ROOT / "examples/eval/pclue-predictions.jsonl")}
print(json.dumps(result, ensure_ascii=True, indent=1))
