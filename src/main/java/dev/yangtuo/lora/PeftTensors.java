package dev.yangtuo.lora;

import dev.yangtuo.checkpoint.Checkpoint;
import dev.yangtuo.checkpoint.TensorInfo;
import dev.yangtuo.checkpoint.UnreadableTensor;
import dev.yangtuo.exception.AdapterException;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.SequencedSet;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/**
 * Sorts the tensors of a PEFT adapter into the changes that they make: every name is understood, what belongs together is together, ranks fit,
 * and what the configuration promises is there.
 */
final class PeftTensors {
    // 224 modules with two patterns for each of them take about 2 million steps; a hundred million are a second or two.
    private static final long MATCHING_STEPS = 100_000_000;
    private static final String WEIGHT = ".weight";
    private static final String BIAS = ".bias";

    private final LoraConfig config;
    private final double factor;
    private final Map<AdapterKey.Role, Map<String, TensorInfo>> tensors = new EnumMap<>(AdapterKey.Role.class);
    private final ModulePattern.Budget budget = new ModulePattern.Budget(MATCHING_STEPS);
    private final AdapterChanges changes = new AdapterChanges();
    private int otherRanks;
    private int deltas;
    private String otherRank = "";

    private PeftTensors(LoraConfig config, double factor) {
        this.config = config;
        this.factor = factor;
        for (AdapterKey.Role role : AdapterKey.Role.values()) {
            tensors.put(role, new LinkedHashMap<>());
        }
    }

    /**
     * Reads the names.
     *
     * @param factor what deltas are multiplied with beside their own scale
     * @throws AdapterException if something is not understood, missing, or does not belong together
     */
    static AdapterChanges read(LoraConfig config, Checkpoint checkpoint, double factor) {
        PeftTensors peft = new PeftTensors(config, factor);
        peft.sort(checkpoint);
        peft.makeChanges(checkpoint);
        return peft.changes;
    }

    private void sort(Checkpoint checkpoint) {
        for (UnreadableTensor tensor : checkpoint.unreadable()) {
            if (AdapterKey.parse(tensor.file(), tensor.name()) != null) {
                throw AdapterChanges.unreadable(tensor);
            }
        }
        TreeSet<String> names = new TreeSet<>();
        for (TensorInfo tensor : checkpoint.tensors()) {
            AdapterKey key = AdapterKey.parse(tensor.file(), tensor.name());
            if (key == null) {
                continue;
            }
            if (key.adapterName() != null) {
                names.add(key.adapterName());
            }
            switch (key.role()) {
                case LORA_A, LORA_B, EMBEDDING_A, EMBEDDING_B, TOKEN_ROWS -> AdapterChanges.requireDimensions(tensor, 2, 2, "a matrix");
                case LORA_BIAS, MAGNITUDE -> AdapterChanges.requireDimensions(tensor, 1, 1, "a vector");
                case FULL -> AdapterChanges.requireDimensions(tensor, 1, key.parameter().endsWith(BIAS) ? 1 : 2, "a matrix or a vector");
            }
            TensorInfo other = of(key.role()).put(key.parameter(), tensor);
            if (other != null) {
                throw AdapterChanges.twice(other, tensor);
            }
        }
        if (names.size() > 1) {
            List<String> quoted = names.stream().limit(5).map(AdapterKey::quote).toList();
            throw new AdapterException(checkpoint.path(), "it holds %d adapters (%s%s), expected one; save each into a directory of its own"
                    .formatted(names.size(), String.join(", ", quoted), names.size() > quoted.size() ? ", ..." : ""));
        }
    }

    private Map<String, TensorInfo> of(AdapterKey.Role role) {
        return tensors.get(role);
    }

    private void makeChanges(Checkpoint checkpoint) {
        try {
            addLow(AdapterKey.Role.LORA_A, AdapterKey.Role.LORA_B, config.fanInFanOut() ? LoraDelta.Layout.TRANSPOSED : LoraDelta.Layout.PLAIN);
            addLow(AdapterKey.Role.EMBEDDING_A, AdapterKey.Role.EMBEDDING_B, LoraDelta.Layout.TRANSPOSED);
            addBiases();
        } catch (ModulePattern.BudgetExceededException e) {
            throw new AdapterException(config.file(), "rank_pattern and alpha_pattern take too long to match; use plain module names", e);
        }
        of(AdapterKey.Role.MAGNITUDE).values().stream().findFirst().ifPresent(magnitude -> {
            throw new AdapterException(magnitude.file(), "tensor %s has no lora_A and lora_B beside it".formatted(AdapterKey.quote(magnitude.name())));
        });
        of(AdapterKey.Role.FULL).forEach((parameter, tensor) -> changes.add(parameter, new Replacement(tensor)));
        addTokenRows();
        changes.requireAny(checkpoint.path());
        if (otherRanks > 0) {
            changes.note("%d of %d matrices have another rank than adapter_config.json says (%s); the matrices' own is used"
                    .formatted(otherRanks, deltas, otherRank));
        }
        noteMissingModules();
    }

    private void addLow(AdapterKey.Role roleA, AdapterKey.Role roleB, LoraDelta.Layout layout) {
        Map<String, TensorInfo> as = of(roleA);
        Map<String, TensorInfo> bs = of(roleB);
        SequencedSet<String> parameters = new LinkedHashSet<>(as.keySet());
        parameters.addAll(bs.keySet());
        for (String parameter : parameters) {
            LoraDelta delta = AdapterChanges.paired(as.get(parameter), bs.get(parameter), layout, (a, b) -> scale(parameter, a, b));
            TensorInfo magnitude = of(AdapterKey.Role.MAGNITUDE).remove(parameter);
            changes.add(parameter, magnitude == null ? plain(delta) : dora(delta, magnitude));
        }
    }

    private float scale(String parameter, TensorInfo a, TensorInfo b) {
        String module = parameter.substring(0, parameter.length() - WEIGHT.length());
        int rank = Math.toIntExact(a.shape().getFirst());
        int configured = config.scaling().rankOf(module, budget);
        deltas++;
        if (configured != rank && otherRanks++ == 0) {
            otherRank = "%s: rank %d instead of %d".formatted(AdapterKey.quote(module), rank, configured);
        }
        return AdapterChanges.finiteScale(factor * config.scaling().scale(module, rank, budget), config.file(), module);
    }

    private ParameterChange plain(LoraDelta delta) {
        if (config.dora()) {
            throw new AdapterException(delta.a().file(), "tensor %s has no lora_magnitude_vector beside it, but use_dora of adapter_config.json is true"
                    .formatted(AdapterKey.quote(delta.a().name())));
        }
        return delta;
    }

    private ParameterChange dora(LoraDelta delta, TensorInfo magnitude) {
        if (!config.dora()) {
            throw new AdapterException(magnitude.file(), "tensor %s belongs to DoRA, but use_dora of adapter_config.json is not true"
                    .formatted(AdapterKey.quote(magnitude.name())));
        }
        requireLength(magnitude, delta);
        return new DoraDelta(delta, magnitude);
    }

    private static void requireLength(TensorInfo vector, LoraDelta delta) {
        if (vector.shape().getFirst() != delta.outputs()) {
            throw new AdapterException(vector.file(), "tensor %s has shape %s, but %s has %d rows".formatted(
                    AdapterKey.quote(vector.name()), vector.shape(), AdapterKey.quote(delta.b().name()), delta.outputs()));
        }
    }

    /** With lora_bias every LoRA of a matrix has one; its scale is the LoRA's. */
    private void addBiases() {
        for (Map.Entry<String, TensorInfo> entry : of(AdapterKey.Role.LORA_BIAS).entrySet()) {
            TensorInfo tensor = entry.getValue();
            LoraDelta delta = deltaBeside(entry.getKey());
            if (delta == null) {
                throw new AdapterException(tensor.file(), "tensor %s has no lora_A and lora_B beside it".formatted(AdapterKey.quote(tensor.name())));
            }
            if (!config.loraBias()) {
                throw new AdapterException(tensor.file(), "tensor %s is a bias beside lora_B, but lora_bias of adapter_config.json is not true"
                        .formatted(AdapterKey.quote(tensor.name())));
            }
            requireLength(tensor, delta);
            changes.add(entry.getKey(), new BiasDelta(tensor, delta.scale()));
        }
        if (config.loraBias()) {
            of(AdapterKey.Role.LORA_B).forEach((parameter, b) -> {
                if (!of(AdapterKey.Role.LORA_BIAS).containsKey(biasOf(parameter))) {
                    throw new AdapterException(b.file(), "tensor %s has no bias beside it, but lora_bias of adapter_config.json is true"
                            .formatted(AdapterKey.quote(b.name())));
                }
            });
        }
    }

    private static String biasOf(String weight) {
        return weight.substring(0, weight.length() - WEIGHT.length()) + BIAS;
    }

    private @Nullable LoraDelta deltaBeside(String bias) {
        String weight = bias.substring(0, bias.length() - BIAS.length()) + WEIGHT;
        for (ParameterChange change : changes.of(weight)) {
            if (change instanceof LoraDelta delta) {
                return delta;
            }
            if (change instanceof DoraDelta dora) {
                return dora.delta();
            }
        }
        return null;
    }

    private void addTokenRows() {
        Map<String, TensorInfo> rows = of(AdapterKey.Role.TOKEN_ROWS);
        rows.forEach((parameter, tensor) -> {
            List<Integer> tokens = config.tokensOf(parameter.substring(0, parameter.length() - WEIGHT.length()));
            if (tokens == null) {
                throw new AdapterException(tensor.file(), "tensor %s holds rows of single tokens, but trainable_token_indices of adapter_config.json does not name them"
                        .formatted(AdapterKey.quote(tensor.name())));
            }
            if (tensor.shape().getFirst() != tokens.size()) {
                throw new AdapterException(tensor.file(), "tensor %s has %d rows, but trainable_token_indices of adapter_config.json names %d tokens"
                        .formatted(AdapterKey.quote(tensor.name()), tensor.shape().getFirst(), tokens.size()));
            }
            changes.add(parameter, new TokenRows(tensor, tokens));
        });
        if (rows.isEmpty() && !config.tokens().isEmpty()) {
            throw new AdapterException(config.file(), "trainable_token_indices names tokens, but the adapter has no rows for them (trainable_tokens_delta)");
        }
    }

    private void noteMissingModules() {
        List<String> missing = new ArrayList<>(config.modulesToSave());
        missing.removeIf(module -> of(AdapterKey.Role.FULL).keySet().stream()
                .anyMatch(parameter -> parameter.startsWith(module + ".") || parameter.contains("." + module + ".")));
        missing.forEach(module ->
                changes.note("modules_to_save of adapter_config.json names %s, but no tensor of it is there".formatted(AdapterKey.quote(module))));
    }
}
