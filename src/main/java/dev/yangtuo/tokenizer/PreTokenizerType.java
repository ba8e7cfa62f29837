package dev.yangtuo.tokenizer;

import java.util.Arrays;
import java.util.List;
import java.util.Optional;

/**
 * How a byte-level tokenizer cuts text into words before it merges bytes. GGUF has a name for each model that brought an expression of
 * its own ({@code tokenizer.ggml.pre}); those whose expressions are the same are one constant here.
 */
public enum PreTokenizerType {
    /** GPT-2's own: a word takes the space before it, contractions stand alone. */
    GPT_2("gpt-2", "phi-2", "mpt", "olmo", "jais", "trillion", "granite-docling", "exaone4", "gigachat", "a.x-4.0", "mellum"),
    /** GPT-2's, but every digit is a word. */
    SMOLLM("smollm", "starcoder", "refact", "command-r", "codeshell", "exaone", "minerva-7b", "mellum2"),
    /** Llama 3's: up to three digits are a word, line ends stay with what is before them. */
    LLAMA_BPE("llama-bpe", "llama3", "llama-v3", "falcon3", "falcon-h1", "pixtral", "midm-2.0", "lfm2", "jina-v5-nano"),
    /** Llama 3's expression, but a word that is a piece is merged like any other. */
    CHATGLM_BPE("chatglm-bpe", "glm4", "dbrx", "smaug-bpe"),
    /** Qwen 2's: Llama 3's, but every digit is a word. */
    QWEN2("qwen2", "deepseek-r1-qwen", "kormo", "f2llmv2", "megrez", "stablelm2", "hunyuan", "solar-open", "grok-2"),
    /** Qwen 3.5's: Qwen 2's, but combining marks count as letters. */
    QWEN35("qwen35"),
    /** DeepSeek LLM's: letters, punctuation, ideographs and digits, one after the other. */
    DEEPSEEK_LLM("deepseek-llm"),
    /** DeepSeek Coder's: the same steps with Unicode's categories. */
    DEEPSEEK_CODER("deepseek-coder"),
    /** DeepSeek V3's: up to three digits, then ideographs and kana, then the rest. */
    DEEPSEEK_V3("deepseek-v3", "hunyuan-dense", "joyai-llm", "hy_v4");

    private final List<String> ggufNames;

    PreTokenizerType(String... ggufNames) {
        this.ggufNames = List.of(ggufNames);
    }

    /** {@return the names that GGUF files have for it, the best known one first} */
    public List<String> ggufNames() {
        return ggufNames;
    }

    /** {@return whether a word that is a piece becomes that piece, whatever the merges would make of it} */
    public boolean takesWholePieces() {
        return this == LLAMA_BPE;
    }

    /**
     * {@return the type that a name stands for, empty when none does}
     *
     * @param ggufName as found under {@code tokenizer.ggml.pre}
     */
    public static Optional<PreTokenizerType> ofName(String ggufName) {
        return Arrays.stream(values()).filter(type -> type.ggufNames.contains(ggufName)).findFirst();
    }
}
