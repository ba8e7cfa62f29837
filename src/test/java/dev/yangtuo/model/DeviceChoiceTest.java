package dev.yangtuo.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class DeviceChoiceTest {
    @Test
    void namesSayWhichDevices() {
        assertThat(DeviceChoice.of(List.of("CPU"))).isEqualTo(DeviceChoice.PROCESSOR);
        assertThat(DeviceChoice.of(List.of("auto")).kind()).isEqualTo(DeviceChoice.Kind.AUTO);
        assertThat(DeviceChoice.of(List.of("cuda"))).isEqualTo(new DeviceChoice(DeviceChoice.Kind.CUDA, List.of(), DeviceChoice.ALL_LAYERS));
        assertThat(DeviceChoice.of(List.of("cuda:1", " Cuda:0")).numbers()).containsExactly(1, 0);
    }

    @Test
    void noLayersNeedNoDevice() {
        assertThat(DeviceChoice.of(List.of("cuda")).usesDevices()).isTrue();
        assertThat(DeviceChoice.of(List.of("cuda")).withLayers(0).usesDevices()).isFalse();
        assertThat(DeviceChoice.PROCESSOR.usesDevices()).isFalse();
    }

    @ParameterizedTest
    @ValueSource(strings = {"gpu", "CUDA0", "cuda:", "cuda:-1", "cuda:99999", "cuda:0,auto", "cpu,cuda:0", "cuda,cuda", "", "cuda:0,cuda:0"})
    void otherNamesAreRefused(String names) {
        assertThatIllegalArgumentException().isThrownBy(() -> DeviceChoice.of(List.of(names.split(","))));
    }

    @Test
    void namesOfLlamaCppAreNotOurs() {
        assertThat(DeviceChoice.knows(List.of("cuda:0", "cuda:1"))).isTrue();
        assertThat(DeviceChoice.knows(List.of("CPU"))).isTrue();
        for (String wrong : List.of("cuda:x", "cuda:", "", "cuda:0,CUDA1", "cpu,auto")) {
            assertThat(DeviceChoice.knows(List.of(wrong.split(",")))).as("'%s' is meant for us", wrong).isTrue();
        }
        assertThat(DeviceChoice.knows(List.of("CUDA0"))).isFalse();
        assertThat(DeviceChoice.knows(List.of("CPU", "Vulkan0"))).isFalse();
        assertThat(DeviceChoice.knows(List.of())).isFalse();
    }
}
