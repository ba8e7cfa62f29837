package dev.yangtuo.fuzz;

import dev.yangtuo.BackendType;
import dev.yangtuo.Llama;
import dev.yangtuo.LoadOptions;
import dev.yangtuo.checkpoint.Checkpoint;
import dev.yangtuo.checkpoint.GgufCheckpoint;
import dev.yangtuo.checkpoint.Llama2cCheckpoint;
import dev.yangtuo.checkpoint.PytorchBuilder;
import dev.yangtuo.checkpoint.PytorchCheckpoint;
import dev.yangtuo.checkpoint.SafetensorsCheckpoint;
import dev.yangtuo.checkpoint.TensorInfo;
import dev.yangtuo.exception.YangtuoException;
import dev.yangtuo.grammar.Grammar;
import dev.yangtuo.grammar.TokenConstraint;
import dev.yangtuo.lora.LoraAdapter;
import dev.yangtuo.lora.LoraConfig;
import dev.yangtuo.tensor.FloatRows;
import dev.yangtuo.tokenizer.SentencePieceModel;
import dev.yangtuo.tokenizer.Tokenizer;
import dev.yangtuo.tokenizer.Utf8;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.BitSet;
import java.util.function.Supplier;

/**
 * One nested class for each reader, with the method that Jazzer and libFuzzer look for. Whatever the bytes are, a target ends normally or with an
 * exception of ours, which it swallows; everything else is a finding.
 */
public final class FuzzTargets {
    /** Elements of a tensor that is read: what is larger has been bounded by the file's size already. */
    private static final long MAX_ELEMENTS = 1 << 16;

    private static final Tokenizer GRAMMAR_TOKENIZER = Tokenizer.load(Path.of("src/test/resources/tokenizer/models/bpe-identity.model"));

    private FuzzTargets() {}

    private static void read(Checkpoint checkpoint) {
        for (TensorInfo tensor : checkpoint.tensors()) {
            if (tensor.elementCount() > 0 && tensor.elementCount() < MAX_ELEMENTS) {
                FloatRows rows = checkpoint.rows(tensor);
                float[] row = new float[rows.columns()];
                for (long i = 0; i < rows.rows(); i++) {
                    rows.read(i, 1, row, 0);
                }
            }
        }
    }

    /** GGUF: header, metadata, tensors. */
    public static final class Gguf {
        private static final Path FILE = FuzzedFile.directory().resolve("model.gguf");

        private Gguf() {}

        /** The target. */
        public static void fuzzerTestOneInput(byte[] data) {
            try (Checkpoint checkpoint = GgufCheckpoint.open(FuzzedFile.write(FILE, data))) {
                read(checkpoint);
            } catch (YangtuoException expected) {
                // as it should be
            }
        }
    }

    /** A GGUF file loaded as a model: hyper-parameters, vocabulary, weights. */
    public static final class GgufModel {
        private static final Path FILE = FuzzedFile.directory().resolve("model.gguf");

        private GgufModel() {}

        /** The target. */
        public static void fuzzerTestOneInput(byte[] data) {
            LoadOptions options = LoadOptions.defaults().backend(BackendType.SCALAR).threads(1).context(16);
            try (Llama llama = Llama.load(FuzzedFile.write(FILE, data), options)) {
                llama.tokenizer().decode(llama.tokenizer().encode("春眠 a"));
            } catch (YangtuoException expected) {
                // as it should be
            }
        }
    }

    /** One safetensors file. */
    public static final class Safetensors {
        private static final Path FILE = FuzzedFile.directory().resolve("model.safetensors");

        private Safetensors() {}

        /** The target. */
        public static void fuzzerTestOneInput(byte[] data) {
            try (Checkpoint checkpoint = SafetensorsCheckpoint.open(FuzzedFile.write(FILE, data))) {
                read(checkpoint);
            } catch (YangtuoException expected) {
                // as it should be
            }
        }
    }

    /** The index of sharded safetensors, beside one empty shard. */
    public static final class ShardIndex {
        private static final Path DIRECTORY = FuzzedFile.directory();

        private ShardIndex() {}

        /** The target. */
        public static void fuzzerTestOneInput(byte[] data) {
            FuzzedFile.write(DIRECTORY.resolve("model.safetensors.index.json"), data);
            byte[] empty = "\2\0\0\0\0\0\0\0{}".getBytes(StandardCharsets.ISO_8859_1);
            FuzzedFile.write(DIRECTORY.resolve("model-00001-of-00001.safetensors"), empty);
            try (Checkpoint checkpoint = SafetensorsCheckpoint.openDirectory(DIRECTORY, "model")) {
                read(checkpoint);
            } catch (YangtuoException expected) {
                // as it should be
            }
        }
    }

    /** A model file of llama2.c. */
    public static final class Llama2c {
        private static final Path FILE = FuzzedFile.directory().resolve("model.bin");

        private Llama2c() {}

        /** The target. */
        public static void fuzzerTestOneInput(byte[] data) {
            try (Checkpoint checkpoint = Llama2cCheckpoint.open(FuzzedFile.write(FILE, data))) {
                read(checkpoint);
            } catch (YangtuoException expected) {
                // as it should be
            }
        }
    }

    /** A zip archive of PyTorch weights. */
    public static final class Pytorch {
        private static final Path FILE = FuzzedFile.directory().resolve("pytorch_model.bin");

        private Pytorch() {}

        /** The target. */
        public static void fuzzerTestOneInput(byte[] data) {
            try (Checkpoint checkpoint = PytorchCheckpoint.open(FuzzedFile.write(FILE, data))) {
                read(checkpoint);
            } catch (YangtuoException expected) {
                // as it should be
            }
        }
    }

    /** The pickle in such an archive, beside one storage of 24 bytes. */
    public static final class Pickle {
        private Pickle() {}

        /** The target. */
        public static void fuzzerTestOneInput(byte[] data) {
            byte[] archive = new PytorchBuilder().entry("archive/data.pkl", data).entry("archive/data/0", new byte[24]).build();
            Pytorch.fuzzerTestOneInput(archive);
        }
    }

    /** An adapter in PEFT's format, its tensors in one file. */
    public static final class Adapter {
        private static final Path DIRECTORY = FuzzedFile.directory();

        private Adapter() {}

        /** The target. */
        public static void fuzzerTestOneInput(byte[] data) {
            FuzzedFile.write(DIRECTORY.resolve("adapter_config.json"), "{\"peft_type\": \"LORA\", \"r\": 1, \"lora_alpha\": 2}".getBytes(StandardCharsets.US_ASCII));
            FuzzedFile.write(DIRECTORY.resolve("adapter_model.safetensors"), data);
            openAdapter(DIRECTORY);
        }

        private static void openAdapter(Path path) {
            try (LoraAdapter adapter = LoraAdapter.open(path)) {
                adapter.embeddingRows();
            } catch (YangtuoException expected) {
                // as it should be
            }
        }
    }

    /** An adapter in GGUF. */
    public static final class GgufAdapter {
        private static final Path FILE = FuzzedFile.directory().resolve("lora.gguf");

        private GgufAdapter() {}

        /** The target. */
        public static void fuzzerTestOneInput(byte[] data) {
            Adapter.openAdapter(FuzzedFile.write(FILE, data));
        }
    }

    /** {@code adapter_config.json}. */
    public static final class AdapterConfig {
        private static final Path FILE = FuzzedFile.directory().resolve("adapter_config.json");

        private AdapterConfig() {}

        /** The target. */
        public static void fuzzerTestOneInput(byte[] data) {
            try {
                LoraConfig.read(FuzzedFile.write(FILE, data));
            } catch (YangtuoException expected) {
                // as it should be
            }
        }
    }

    /** A {@code tokenizer.model}, and what it makes of a text. */
    public static final class TokenizerModel {
        private static final Path FILE = FuzzedFile.directory().resolve("tokenizer.model");

        private TokenizerModel() {}

        /** The target. */
        public static void fuzzerTestOneInput(byte[] data) {
            try {
                Tokenizer tokenizer = Tokenizer.of(SentencePieceModel.read(FuzzedFile.write(FILE, data)));
                tokenizer.decode(tokenizer.encode("  Once，春眠不觉晓 ﬃ㎡😀\0</s>aaaaaaaaaaaaaaaa"));
            } catch (YangtuoException expected) {
                // as it should be
            }
        }
    }

    /** Follows a grammar for some tokens: each the one that may come and has the highest id. */
    private static void follow(Supplier<Grammar> maker) {
        try {
            int[] ends = {GRAMMAR_TOKENIZER.eosId()};
            TokenConstraint constraint = maker.get().newConstraint(GRAMMAR_TOKENIZER, ends);
            for (int i = 0; i < 20; i++) {
                int id = BitSet.valueOf(constraint.allowed()).length() - 1;
                constraint.accept(id);
                if (id == ends[0]) {
                    return;
                }
            }
        } catch (YangtuoException expected) {
            // as it should be
        }
    }

    /** A grammar in GBNF. */
    public static final class Gbnf {
        private Gbnf() {}

        /** The target. */
        public static void fuzzerTestOneInput(byte[] data) {
            follow(() -> Grammar.gbnf(Utf8.decode(data)));
        }
    }

    /** A JSON schema. */
    public static final class JsonSchema {
        private JsonSchema() {}

        /** The target. */
        public static void fuzzerTestOneInput(byte[] data) {
            follow(() -> Grammar.jsonSchema(Utf8.decode(data)));
        }
    }

    /** A regular expression. */
    public static final class Regex {
        private Regex() {}

        /** The target. */
        public static void fuzzerTestOneInput(byte[] data) {
            follow(() -> Grammar.regex(Utf8.decode(data)));
        }
    }
}
