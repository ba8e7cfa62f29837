package dev.yangtuo.benchmarks.kernel;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import dev.yangtuo.kernel.NativeBackend;
import dev.yangtuo.tensor.TensorType;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class KernelArgumentsTest {
    private static final KernelArguments MACHINE = new KernelArguments(List.of("slow", "fast", "new"), List.of("slow", "fast"), "fast", 6);

    private final List<String> messages = new ArrayList<>();

    private String complete(String arguments) {
        return String.join(" ", MACHINE.in(arguments.split(" "), messages::add));
    }

    @Test
    void kernelAndThreadsAreNamedUnlessTheyAre() {
        assertThat(complete("Matmul -p columns=1")).isEqualTo("Matmul -p columns=1 -p kernel=fast -p threads=6");
        assertThat(complete("-p kernel=slow -p threads=1,2 Matmul -f 1")).isEqualTo("-p kernel=slow -p threads=1,2 Matmul -f 1");
        assertThat(complete("-pkernel=best,slow")).isEqualTo("-pkernel=fast,slow -p threads=6");
        assertThat(messages).isEmpty();
    }

    @Test
    void kernelsThatCannotRunAreLeftOut() {
        assertThat(complete("-p threads=1 -p kernel=all")).isEqualTo("-p threads=1 -p kernel=slow,fast");
        assertThat(complete("-p threads=1 -p kernel=new,slow")).isEqualTo("-p threads=1 -p kernel=slow");
        assertThat(messages).hasSize(2).containsOnly("kernel new is left out: this processor cannot run it");
        assertThatIllegalArgumentException().isThrownBy(() -> complete("-p kernel=new"))
                .withMessage("kernels [new]: this processor can run [slow, fast]");
        assertThatIllegalArgumentException().isThrownBy(() -> complete("-p kernel=old"))
                .withMessage("kernel old: this library has [slow, fast, new]");
    }

    @Test
    void allStandsForTypesAndShapes() {
        assertThat(complete("-p kernel=slow -p threads=1 -p type=all").split("[=,]")).hasSize(3 + TensorType.values().length).contains("MXFP4");
        assertThat(complete("-p kernel=slow -p threads=1 -p encodedType=all")).contains("encodedType=F32,F16,BF16").doesNotContain("MXFP4");
        assertThat(complete("-p kernel=slow -p threads=1 -p shape=all")).endsWith("shape=" + String.join(",", MatrixShape.NAMES));
        assertThat(complete("-p kernel=slow -p threads=1 -p type=q4_0,bf16")).endsWith("type=Q4_0,BF16");
    }

    @Test
    void thisMachineHasAKernel() {
        String[] completed = KernelArguments.complete(new String[] {"Matmul"}, messages::add);
        assertThat(completed).hasSize(5);
        assertThat(NativeBackend.isSupported(completed[2].substring("kernel=".length()))).isTrue();
        assertThat(messages).isEmpty();
    }
}
