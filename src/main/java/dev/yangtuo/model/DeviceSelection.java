package dev.yangtuo.model;

import dev.yangtuo.exception.KernelException;
import dev.yangtuo.exception.NativeLibraryException;
import dev.yangtuo.exception.YangtuoException;
import dev.yangtuo.kernel.Backend;
import dev.yangtuo.kernel.Device;
import dev.yangtuo.kernel.DeviceLibrary;
import dev.yangtuo.kernel.KvShape;
import dev.yangtuo.kernel.NativeBackend;
import dev.yangtuo.tensor.TensorType;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.function.Supplier;
import java.util.stream.Collectors;

/** Finds the devices that are asked for, decides which layers of a model lie on them, and opens them. */
final class DeviceSelection {
    private static final Logger LOGGER = System.getLogger(DeviceSelection.class.getName());
    private static final String REMEDY = "choose the processor (--device cpu), or what can be used of both (--device auto)";

    private final MergedModel merged;
    private final TypePlan plan;
    private final TensorType kvType;
    private final DeviceChoice choice;
    private final ModelBytes bytes;

    DeviceSelection(MergedModel merged, TypePlan plan, LoadSettings settings, ModelBytes bytes) {
        this.merged = merged;
        this.plan = plan;
        this.kvType = settings.kvType();
        this.choice = settings.devices();
        this.bytes = bytes;
    }

    /**
     * Decides which layers lie where.
     *
     * @param positions whose keys and values must have room at least
     * @throws KernelException if devices are asked for that are not there, or that cannot take the layers
     * @throws NativeLibraryException if the library for them cannot be opened
     */
    LayerDivision divide(long positions) {
        if (!choice.usesDevices()) {
            return LayerDivision.processor(bytes);
        }
        try {
            return divideAmong(find(), positions);
        } catch (NativeLibraryException | KernelException e) {
            if (choice.kind() != DeviceChoice.Kind.AUTO) {
                throw e;
            }
            sayProcessor(e);
            return LayerDivision.processor(bytes);
        }
    }

    /** With {@link DeviceChoice.Kind#AUTO} what fails is said to who wants to know, and the processor takes its place. */
    static void sayProcessor(YangtuoException reason) {
        LOGGER.log(Level.DEBUG, "the processor computes: {0}", reason.getMessage());
    }

    /** Those that are named are looked at alone. */
    private List<Device> find() {
        if (choice.numbers().isEmpty()) {
            List<Device> all = ask(DeviceLibrary::devices);
            return List.of(all.stream().filter(Device::isUsable).max(Comparator.comparingLong(Device::freeBytes))
                    .orElseThrow(() -> new KernelException("there is no CUDA device that can be used: %s; %s".formatted(describe(all), REMEDY))));
        }
        int count = ask(DeviceLibrary::count);
        List<Device> named = new ArrayList<>();
        for (int number : choice.numbers()) {
            if (number < 0 || number >= count) {
                throw new KernelException("there is no device cuda:%d: %s; %s".formatted(number, describe(ask(DeviceLibrary::devices)), REMEDY));
            }
            Device device = ask(() -> DeviceLibrary.device(number));
            if (!device.isUsable()) {
                throw new KernelException("the device %s (%s) cannot be used: %s; %s".formatted(device.id(), device.name(), device.problem(), REMEDY));
            }
            named.add(device);
        }
        return named;
    }

    private static <T> T ask(Supplier<T> question) {
        try {
            return question.get();
        } catch (KernelException e) {
            throw new KernelException("%s; or %s".formatted(e.getMessage(), REMEDY));
        }
    }

    private static String describe(List<Device> devices) {
        if (devices.isEmpty()) {
            return "the driver has none";
        }
        return devices.stream()
                .map(device -> "%s is %s%s".formatted(device.id(), device.name(), device.isUsable() ? "" : " (" + device.problem() + ")"))
                .collect(Collectors.joining(", "));
    }

    private LayerDivision divideAmong(List<Device> devices, long positions) {
        int layers = bytes.layers().length;
        int wanted = choice.layers() == DeviceChoice.ALL_LAYERS ? layers : Math.min(choice.layers(), layers);
        LayerDivision asked = LayerDivision.of(bytes, devices, wanted);
        LayerDivision.Part tooLarge = asked.tooLarge(positions);
        if (tooLarge == null) {
            return asked;
        }
        int fitting = wanted - 1;
        while (fitting > 0 && LayerDivision.of(bytes, devices, fitting).tooLarge(positions) != null) {
            fitting--;
        }
        String problem = "%s: %s".formatted(merged.path(), asked.shortage(tooLarge, positions));
        if (fitting > 0 && choice.kind() == DeviceChoice.Kind.AUTO) {
            LOGGER.log(Level.DEBUG, "{0}; the last {1} layers are put there", problem, fitting);
            return LayerDivision.of(bytes, devices, fitting);
        }
        String fewer = fitting == 0 ? "not one layer fits" : "keep fewer layers there (--gpu-layers %d or less)".formatted(fitting);
        throw new KernelException("%s; %s; take weights or keys and values of fewer bits or a shorter context, or %s".formatted(problem, fewer, REMEDY));
    }

    /**
     * Opens the devices of a division.
     *
     * @param processor computes the layers that are on none; stays the caller's until it is in the result
     * @throws KernelException if a device cannot be opened, or cannot compute with the model's types
     */
    Placement open(LayerDivision division, Backend processor) {
        if (!division.hasDevices()) {
            return Placement.processor(processor, bytes);
        }
        if (processor.packedFiles() == null) {
            throw new KernelException("devices compute with the native library, and the %s backend was chosen; choose the native one, or --device cpu".formatted(processor.name()));
        }
        List<Placement.Part> parts = new ArrayList<>();
        try (CloseStack undo = new CloseStack()) {
            for (LayerDivision.Part part : division.parts()) {
                Backend backend = part.device() == null ? processor : undo.push(NativeBackend.open(part.device()));
                parts.add(new Placement.Part(backend, part.first(), part.end()));
            }
            parts.stream().filter(part -> part.backend() != processor).forEach(this::requireTypes);
            undo.keep();
        }
        return new Placement(division, parts);
    }

    /** Has a device make a page of keys and values and a row of each kind of matrix, before gigabytes are read for it. */
    private void requireTypes(Placement.Part part) {
        requireKeysAndValues(part.backend());
        Set<List<Object>> tried = new HashSet<>();
        merged.forEach(parameter -> {
            boolean isThere = parameter.kind() == null ? part.first() == 0 || part.end() == bytes.layers().length
                    : parameter.layer() >= part.first() && parameter.layer() < part.end();
            if (parameter.isVector() || !isThere) {
                return;
            }
            TensorType type = plan.typeOf(parameter);
            int columns = parameter.rows().columns();
            if (tried.add(List.of(type, columns))) {
                requireMatrix(part.backend(), parameter.name(), type, columns);
            }
        });
    }

    private void requireKeysAndValues(Backend backend) {
        try {
            backend.createKvPool(new KvShape(kvType, KvCache.PAGE_POSITIONS, 1, 1, 1, merged.config().headDim())).close();
        } catch (KernelException e) {
            throw unsupported(backend, "keys and values of type " + kvType, "--kv-type f16 or q8_0", e);
        }
    }

    private void requireMatrix(Backend backend, String name, TensorType type, int columns) {
        try {
            backend.createMatrix(type, 1, columns).close();
        } catch (KernelException e) {
            throw unsupported(backend, "%s of type %s".formatted(name, type), "--quantize q8_0 or q4_0", e);
        }
    }

    private KernelException unsupported(Backend backend, String what, String options, KernelException reason) {
        return new KernelException("%s: %s on %s is not possible (%s); keep it as another type (%s), or %s"
                .formatted(merged.path(), what, backend.name(), reason.getMessage(), options, REMEDY));
    }
}
