package dev.yangtuo.llamacpp;

import dev.yangtuo.bindings.llamacpp.LlamaCpp;
import dev.yangtuo.bindings.llamacpp.llama_batch;
import dev.yangtuo.bindings.llamacpp.llama_context_params;
import dev.yangtuo.bindings.llamacpp.llama_model_params;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.GroupLayout;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout.PathElement;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.PaddingLayout;
import java.lang.foreign.SegmentAllocator;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * Compares the structs that llama.cpp and Java give each other by value with the layouts in the bindings, by what the library really writes: a struct that differs would
 * corrupt memory, and between two releases the version says nothing about it.
 *
 * <p>Each struct is asked for twice with a result layout that is far larger, which the calling conventions of System V, AAPCS64 and Windows return through memory of the
 * caller as they do the true one. The memory is filled with another pattern each time: bytes that come back the same were written. That tells size and gaps; the values,
 * which are the defaults of the version that the bindings are of, tell the order.
 */
final class StructLayouts {
    /** Bytes of the result layout: many times more than any of the structs, so that a larger one cannot be written beyond it. */
    private static final long ROOM = 16384;
    private static final byte[] PATTERNS = {0x5a, (byte) 0xa6};
    private static final int MAX_DIFFERENCES = 3;

    /** llama_model_default_params; what is not here is 0. Enumerations by their numbers in llama.h. */
    private static final Map<String, Number> MODEL_DEFAULTS =
            Map.of("n_gpu_layers", -1, "split_mode", 1, "load_mode", -1, "lazy_mode", 1, "use_extra_bufts", 1);
    /** llama_context_default_params; what is not here is 0. */
    private static final Map<String, Number> CONTEXT_DEFAULTS = Map.ofEntries(
            Map.entry("n_ctx", 512),
            Map.entry("n_batch", 2048),
            Map.entry("n_ubatch", 512),
            Map.entry("n_seq_max", 1),
            Map.entry("n_outputs_max_per_seq", 1),
            Map.entry("n_threads", 4),
            Map.entry("n_threads_batch", 4),
            Map.entry("rope_scaling_type", -1),
            Map.entry("pooling_type", -1),
            Map.entry("attention_type", -1),
            Map.entry("flash_attn_type", -1),
            Map.entry("yarn_ext_factor", -1f),
            Map.entry("yarn_attn_factor", -1f),
            Map.entry("yarn_beta_fast", -1f),
            Map.entry("yarn_beta_slow", -1f),
            Map.entry("defrag_thold", -1f),
            Map.entry("type_k", LlamaCpp.GGML_TYPE_F16()),
            Map.entry("type_v", LlamaCpp.GGML_TYPE_F16()),
            Map.entry("offload_kqv", 1),
            Map.entry("no_perf", 1),
            Map.entry("op_offload", 1),
            Map.entry("swa_full", 1));

    private final List<String> differences = new ArrayList<>();

    private StructLayouts() {}

    /** What differs, in words; empty if the library has the structs of the bindings. */
    static List<String> differences() {
        StructLayouts check = new StructLayouts();
        try (Arena arena = Arena.ofConfined()) {
            check.compare(llama_model_params.layout(), MODEL_DEFAULTS,
                    check.ask(arena, LlamaCpp.llama_model_default_params$address(), LlamaCpp.llama_model_default_params$descriptor()));
            check.compare(llama_context_params.layout(), CONTEXT_DEFAULTS,
                    check.ask(arena, LlamaCpp.llama_context_default_params$address(), LlamaCpp.llama_context_default_params$descriptor()));
            MemorySegment tokens = arena.allocate(ValueLayout.JAVA_INT, 2);
            check.compare(llama_batch.layout(), Map.of("n_tokens", 2, "token", tokens.address()),
                    check.ask(arena, LlamaCpp.llama_batch_get_one$address(), LlamaCpp.llama_batch_get_one$descriptor(), tokens, 2));
        }
        return List.copyOf(check.differences);
    }

    /** What the function writes into memory that is filled with either pattern. */
    private List<MemorySegment> ask(Arena arena, MemorySegment function, FunctionDescriptor descriptor, Object... arguments) {
        MemoryLayout room = MemoryLayout.structLayout(MemoryLayout.sequenceLayout(ROOM / Long.BYTES, ValueLayout.JAVA_LONG));
        MethodHandle handle = Linker.nativeLinker().downcallHandle(function, descriptor.changeReturnLayout(room));
        List<MemorySegment> results = new ArrayList<>();
        for (byte pattern : PATTERNS) {
            MemorySegment memory = arena.allocate(room).fill(pattern);
            SegmentAllocator given = (_, _) -> memory;
            List<Object> all = new ArrayList<>(List.of(given));
            all.addAll(List.of(arguments));
            try {
                results.add((MemorySegment) handle.invokeWithArguments(all));
            } catch (Error | RuntimeException e) {
                throw e;
            } catch (Throwable e) {
                throw new AssertionError("native code throws nothing", e);
            }
        }
        return results;
    }

    private void compare(GroupLayout layout, Map<String, Number> values, List<MemorySegment> results) {
        int before = differences.size();
        String struct = layout.name().orElseThrow();
        long end = writtenEnd(results);
        long lastMember = 0;
        for (MemoryLayout member : layout.memberLayouts()) {
            if (member instanceof PaddingLayout) {
                continue;
            }
            String name = member.name().orElseThrow();
            long offset = layout.byteOffset(PathElement.groupElement(name));
            lastMember = offset + member.byteSize();
            if (differences.size() - before < MAX_DIFFERENCES && lastMember <= end) {
                compareMember("%s.%s at byte %d".formatted(struct, name, offset), bits(values.getOrDefault(name, 0), member.byteSize()), read(results, offset, member));
            }
        }
        if (end < lastMember || end > layout.byteSize()) {
            differences.add("%s ends at byte %d instead of %d".formatted(struct, end, lastMember));
        }
    }

    private void compareMember(String member, long expected, List<Long> found) {
        if (!found.getFirst().equals(found.getLast())) {
            differences.add(member + " is no member");
        } else if (found.getFirst() != expected) {
            differences.add("%s is 0x%x instead of 0x%x".formatted(member, found.getFirst(), expected));
        }
    }

    /** The byte behind the last one that was written. */
    private static long writtenEnd(List<MemorySegment> results) {
        long end = ROOM;
        while (end > 0 && results.getFirst().get(ValueLayout.JAVA_BYTE, end - 1) != results.getLast().get(ValueLayout.JAVA_BYTE, end - 1)) {
            end--;
        }
        return end;
    }

    private static List<Long> read(List<MemorySegment> results, long offset, MemoryLayout member) {
        return results.stream().map(memory -> switch ((int) member.byteSize()) {
            case Byte.BYTES -> Byte.toUnsignedLong(memory.get(ValueLayout.JAVA_BYTE, offset));
            case Integer.BYTES -> Integer.toUnsignedLong(memory.get(ValueLayout.JAVA_INT, offset));
            default -> memory.get(ValueLayout.JAVA_LONG, offset);
        }).toList();
    }

    /** A value as the bits of a member of this size. */
    private static long bits(Number value, long bytes) {
        long bits = value instanceof Float number ? Float.floatToRawIntBits(number) : value.longValue();
        return bytes == Long.BYTES ? bits : bits & ((1L << (8 * bytes)) - 1);
    }
}
