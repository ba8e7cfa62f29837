package dev.yangtuo.model;

import java.util.Set;

/** What llama.cpp 0.5.0's code for single architectures asserts about heads; where it does not hold, it ends the process. */
final class LlamaCppArchitectures {
    /** Keys and values may have heads of different sizes; of all others, those that do not exist yet included, they are taken to be equal. */
    private static final Set<String> DIFFERENT_HEADS = Set.of(
            "arwkv7", "bailingmoe", "bailingmoe3", "deepseek2", "deepseek2-ocr", "deepseek32", "deepseek4", "dots3note", "falcon-h1", "gemma", "gemma-embedding",
            "gemma2", "gemma3", "gemma3n", "gemma4", "gemma4-assistant", "glm-dsa", "gpt-oss", "granitemoe", "hrm_text", "hunyuan-dense", "hy_v4", "jamba",
            "jina-bert-v2", "jina-bert-v3", "kimi-k3", "kimi-linear", "lfm2", "lfm2moe", "mamba", "mamba2", "mimo2", "minicpm", "minicpm3", "mistral4", "nomic-bert",
            "nomic-bert-moe", "phimoe", "plamo2", "plamo3", "plm", "qwen3tts", "rwkv6", "rwkv6qwen2", "rwkv7", "step35", "t5encoder", "wavtokenizer-dec");

    /** RoPE turns whole heads. */
    private static final Set<String> WHOLE_ROPE = Set.of(
            "apertus", "arcee", "arctic", "baichuan", "chameleon", "codeshell", "cogvlm", "cohere2moe", "dbrx", "deci", "deepseek", "dots1", "dream", "ernie4_5",
            "ernie4_5-moe", "exaone", "exaone-moe", "exaone4", "falcon", "granite", "granite_swa", "graniteswitch", "grok", "grovemoe", "hunyuan-moe", "hunyuan_vl",
            "hy_v3", "internlm2", "jais2", "llada", "llada-moe", "llama", "llama-embed", "llama4", "maincoder", "mellum", "minimax-01", "minimax-m2", "minimax-m3",
            "mistral3", "nemotron", "olmo", "olmo2", "olmoe", "orion", "paddleocr", "pangu-embedded", "plamo", "pockettts", "qwen2", "qwen2moe", "qwen2vl", "qwen3",
            "qwen3moe", "qwen3vl", "qwen3vlmoe", "rnd1", "seed_oss", "smallthinker", "smollm3", "starcoder2", "talkie", "xverse");

    private LlamaCppArchitectures() {}

    static boolean hasEqualHeads(String architecture) {
        return !DIFFERENT_HEADS.contains(architecture);
    }

    static boolean turnsWholeHeads(String architecture) {
        return WHOLE_ROPE.contains(architecture);
    }
}
