package dev.yangtuo.checkpoint;

import dev.yangtuo.checkpoint.PickleValue.Dictionary;
import dev.yangtuo.checkpoint.PickleValue.ElementType;
import dev.yangtuo.checkpoint.PickleValue.Function;
import dev.yangtuo.checkpoint.PickleValue.Plain;
import dev.yangtuo.checkpoint.PickleValue.StorageClass;
import dev.yangtuo.checkpoint.PickleValue.Text;
import dev.yangtuo.checkpoint.PickleValue.Tuple;
import dev.yangtuo.checkpoint.PickleValue.Whole;
import dev.yangtuo.exception.CheckpointFormatException;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Reads a pickle of weights (protocols 2 to 5; the instructions are described in Python's {@code pickletools}). A pickle is a program that may call any
 * function of any module; this is a machine without functions: it knows the few instructions that weights need, and the few names that they
 * mention as words, and refuses every other one by name. Nothing of the file is ever looked up, loaded or run.
 *
 * <p>An instruction makes at most one value, of a size that its own bytes bound, and no value is copied or walked through, so time and memory
 * grow with the length of the pickle and with nothing else.
 */
final class PickleReader {
    private static final int FIRST_PROTOCOL = 2;
    private static final int LAST_PROTOCOL = 5;
    /** Some picklers push a whole dictionary of a hundred thousand tensors before they store it. */
    private static final int MAX_STACK = 1 << 20;
    private static final int MAX_OPEN_MARKS = 1000;
    private static final int MAX_NAME_BYTES = 1000;

    private static final String REMEDY = "Nothing in a file of weights may run code; load the file with PyTorch where you trust it, and save"
            + " its state_dict alone, as safetensors or with torch.save";

    private final FileInput in;
    private final TensorRebuilder rebuilder;
    private final long begin;
    private PickleValue[] stack = new PickleValue[64];
    private int depth;
    private final int[] marks = new int[MAX_OPEN_MARKS];
    private int openMarks;
    private @Nullable PickleValue[] memo = new PickleValue[64];
    private int memoized;
    /** Where the instruction that is being carried out begins. */
    private long at;

    /**
     * @param in stands at the first byte and ends with the pickle
     * @param rebuilder knows the storages
     */
    PickleReader(FileInput in, TensorRebuilder rebuilder) {
        this.in = in;
        this.rebuilder = rebuilder;
        this.begin = in.byteOffset();
    }

    /**
     * Reads the whole pickle.
     *
     * @return its one value
     * @throws CheckpointFormatException if it is damaged, or more than weights
     */
    PickleValue read() {
        readProtocol();
        PickleOpcode opcode = next();
        while (opcode != PickleOpcode.STOP) {
            carryOut(opcode);
            opcode = next();
        }
        PickleValue result = pop();
        if (depth > 0 || in.remaining() > 0) {
            throw damaged("the pickle ends with %d values and %d bytes too many; expected one value".formatted(depth, in.remaining()));
        }
        return result;
    }

    private void readProtocol() {
        if (next() != PickleOpcode.PROTO) {
            throw refused("the pickle does not begin with PROTO; expected protocol %d to %d".formatted(FIRST_PROTOCOL, LAST_PROTOCOL));
        }
        int protocol = unsignedByte("the protocol");
        if (protocol < FIRST_PROTOCOL || protocol > LAST_PROTOCOL) {
            throw refused("the pickle is of protocol %d; expected %d to %d".formatted(protocol, FIRST_PROTOCOL, LAST_PROTOCOL));
        }
    }

    private PickleOpcode next() {
        at = in.byteOffset();
        byte code = in.readByte("an instruction");
        PickleOpcode opcode = PickleOpcode.of(code);
        if (opcode == null) {
            throw damaged("0x%02x is no instruction of a pickle".formatted(code));
        }
        return opcode;
    }

    private void carryOut(PickleOpcode opcode) {
        switch (opcode) {
            case MARK -> mark();
            case POP -> popOrUnmark();
            case POP_MARK -> popToMark();
            case NONE -> push(Plain.NONE);
            case NEWTRUE -> push(Plain.TRUE);
            case NEWFALSE -> push(Plain.FALSE);
            case BININT -> push(new Whole(in.readInt("an integer")));
            case BININT1 -> push(new Whole(unsignedByte("an integer")));
            case BININT2 -> push(new Whole(Short.toUnsignedInt(in.readShort("an integer"))));
            case LONG1 -> push(integer(unsignedByte("an integer's length")));
            case LONG4 -> push(integer(in.readInt("an integer's length")));
            case BINFLOAT -> skipTo(Plain.FLOAT, Double.BYTES);
            case SHORT_BINUNICODE -> push(text(unsignedByte("a string's length")));
            case BINUNICODE -> push(text(Integer.toUnsignedLong(in.readInt("a string's length"))));
            case BINUNICODE8 -> push(text(in.readLong("a string's length")));
            case SHORT_BINBYTES -> skipTo(Plain.BYTES, unsignedByte("a length"));
            case BINBYTES -> skipTo(Plain.BYTES, Integer.toUnsignedLong(in.readInt("a length")));
            case BINBYTES8 -> skipTo(Plain.BYTES, in.readLong("a length"));
            case EMPTY_TUPLE -> push(Tuple.EMPTY);
            case TUPLE1 -> tuple(1);
            case TUPLE2 -> tuple(2);
            case TUPLE3 -> tuple(3);
            case TUPLE -> push(new Tuple(popToMark()));
            case EMPTY_LIST -> push(Plain.LIST);
            case LIST -> {
                popToMark();
                push(Plain.LIST);
            }
            case APPEND -> {
                pop();
                requireList();
            }
            case APPENDS -> {
                popToMark();
                requireList();
            }
            case EMPTY_DICT -> push(new Dictionary());
            case DICT -> {
                List<PickleValue> items = popToMark();
                push(new Dictionary());
                setItems(items);
            }
            case SETITEM -> {
                PickleValue value = pop();
                setItems(List.of(pop(), value));
            }
            case SETITEMS -> setItems(popToMark());
            case BINGET -> push(recall(unsignedByte("a memo's number")));
            case LONG_BINGET -> push(recall(Integer.toUnsignedLong(in.readInt("a memo's number"))));
            case BINPUT -> memoize(unsignedByte("a memo's number"));
            case LONG_BINPUT -> memoize(Integer.toUnsignedLong(in.readInt("a memo's number")));
            case MEMOIZE -> memoize(memoized);
            case GLOBAL -> push(named(line("a module's name"), line("a name")));
            case STACK_GLOBAL -> stackGlobal();
            case BINPERSID -> push(rebuilder.storage(at, pop()));
            case REDUCE -> reduce();
            case BUILD -> build();
            case FRAME -> frame();
            case PROTO, STOP, DUP, INT, LONG, FLOAT, STRING, BINSTRING, SHORT_BINSTRING, UNICODE, GET, PUT, PERSID, INST, OBJ, NEWOBJ, NEWOBJ_EX,
                    EXT1, EXT2, EXT4, EMPTY_SET, ADDITEMS, FROZENSET, BYTEARRAY8, NEXT_BUFFER, READONLY_BUFFER ->
                throw refused("the pickle has the instruction %s, which weights do not need".formatted(opcode));
        }
    }

    private void mark() {
        if (openMarks == MAX_OPEN_MARKS) {
            throw damaged("the pickle nests more than %d deep".formatted(MAX_OPEN_MARKS));
        }
        marks[openMarks++] = depth;
        push(Plain.MARK);
    }

    private void popOrUnmark() {
        if (depth > 0 && stack[depth - 1] == Plain.MARK) {
            openMarks--;
            depth--;
        } else {
            pop();
        }
    }

    private void push(PickleValue value) {
        if (depth == MAX_STACK) {
            throw damaged("the pickle keeps more than %d values on its stack".formatted(MAX_STACK));
        }
        if (depth == stack.length) {
            stack = Arrays.copyOf(stack, 2 * depth);
        }
        stack[depth++] = value;
    }

    private PickleValue pop() {
        PickleValue value = top();
        depth--;
        return value;
    }

    private PickleValue top() {
        if (depth == 0 || stack[depth - 1] == Plain.MARK) {
            throw damaged("the instruction takes a value where the stack has none");
        }
        return stack[depth - 1];
    }

    private List<PickleValue> popToMark() {
        if (openMarks == 0) {
            throw damaged("the instruction takes values up to a mark, but there is no mark");
        }
        int mark = marks[--openMarks];
        List<PickleValue> values = List.of(Arrays.copyOfRange(stack, mark + 1, depth));
        depth = mark;
        return values;
    }

    private void tuple(int size) {
        PickleValue[] items = new PickleValue[size];
        for (int i = size - 1; i >= 0; i--) {
            items[i] = pop();
        }
        push(new Tuple(List.of(items)));
    }

    private void requireList() {
        if (top() != Plain.LIST) {
            throw damaged("the instruction appends to %s; expected a list".formatted(top().kind()));
        }
    }

    private void setItems(List<PickleValue> items) {
        if (!(top() instanceof Dictionary dictionary)) {
            throw damaged("the instruction sets items of %s; expected a dictionary".formatted(top().kind()));
        }
        if (items.size() % 2 != 0) {
            throw damaged("the instruction sets items from %d values; expected a key and a value each".formatted(items.size()));
        }
        for (int i = 0; i < items.size(); i += 2) {
            switch (items.get(i)) {
                case Text(String key) -> {
                    if (!dictionary.put(key, items.get(i + 1))) {
                        throw damaged("a dictionary has the key %s twice".formatted(Quoted.text(key)));
                    }
                }
                case Whole ignored -> { } // optimizers number their state
                case Plain.NONE, Plain.TRUE, Plain.FALSE -> { }
                case PickleValue other -> throw damaged("a dictionary has %s for a key; expected strings".formatted(other.kind()));
            }
        }
    }

    private PickleValue integer(int length) {
        if (length < 0 || length > in.remaining()) {
            throw damaged("an integer has %s bytes, but %d are left".formatted(Integer.toUnsignedString(length), in.remaining()));
        }
        if (length > Long.BYTES) {
            return skipped(Plain.LARGE_INTEGER, length);
        }
        long value = 0;
        for (int i = 0; i < length; i++) {
            byte next = in.readByte("an integer");
            // The last byte has the sign.
            value |= (i == length - 1 ? (long) next : Byte.toUnsignedLong(next)) << 8 * i;
        }
        return new Whole(value);
    }

    private Text text(long length) {
        if (length < 0 || length > Math.min(in.remaining(), Integer.MAX_VALUE)) {
            throw damaged("a string has %s bytes, but %d are left".formatted(Long.toUnsignedString(length), in.remaining()));
        }
        return new Text(in.readUtf8("a string", (int) length));
    }

    private void skipTo(PickleValue value, long length) {
        push(skipped(value, length));
    }

    private PickleValue skipped(PickleValue value, long length) {
        in.skip(value.kind(), length);
        return value;
    }

    private int unsignedByte(String what) {
        return Byte.toUnsignedInt(in.readByte(what));
    }

    /** Text up to a line feed, as GLOBAL has it. */
    private String line(String what) {
        StringBuilder text = new StringBuilder();
        for (char c = (char) unsignedByte(what); c != '\n'; c = (char) unsignedByte(what)) {
            if (text.length() == MAX_NAME_BYTES) {
                throw damaged("%s has more than %d bytes".formatted(what, MAX_NAME_BYTES));
            }
            text.append(c);
        }
        return text.toString();
    }

    private PickleValue recall(long number) {
        PickleValue value = number < memo.length ? memo[(int) number] : null;
        if (value == null) {
            throw damaged("the instruction refers to memo %d, which nothing was put into".formatted(number));
        }
        return value;
    }

    private void memoize(long number) {
        PickleValue value = top();
        // Picklers number from 0, one instruction each, so no number is larger than the place where it stands.
        if (number > at - begin) {
            throw damaged("the instruction puts into memo %d; expected at most %d, one for each byte before".formatted(number, at - begin));
        }
        if (number >= memo.length) {
            memo = Arrays.copyOf(memo, (int) Math.min(Integer.MAX_VALUE - 8, Math.max(2L * memo.length, number + 1)));
        }
        if (memo[(int) number] == null) {
            memoized++;
        }
        memo[(int) number] = value;
    }

    private void stackGlobal() {
        PickleValue name = pop();
        PickleValue module = pop();
        if (!(name instanceof Text(String nameText)) || !(module instanceof Text(String moduleText))) {
            throw damaged("STACK_GLOBAL takes %s and %s; expected two strings".formatted(module.kind(), name.kind()));
        }
        push(named(moduleText, nameText));
    }

    /** The only names that mean something; they are compared, never looked up. */
    private PickleValue named(String module, String name) {
        for (Function function : Function.values()) {
            if (function.module.equals(module) && function.function.equals(name)) {
                return function;
            }
        }
        if (module.equals("torch")) {
            PytorchType storage = PytorchType.ofStorage(name);
            if (storage != null) {
                return new StorageClass(storage);
            }
            PytorchType type = PytorchType.named(name);
            if (type != null) {
                return new ElementType(type);
            }
        }
        throw refused("the pickle refers to %s, which weights do not need".formatted(Quoted.text(module + "." + name)));
    }

    private void reduce() {
        PickleValue arguments = pop();
        PickleValue function = pop();
        if (!(arguments instanceof Tuple(List<PickleValue> items))) {
            throw damaged("REDUCE has %s for arguments; expected a tuple".formatted(arguments.kind()));
        }
        push(switch (function) {
            case Function.ORDERED_DICT -> {
                if (!items.isEmpty()) {
                    throw refused("an OrderedDict is made of %s; expected ()".formatted(arguments.kind()));
                }
                yield new Dictionary();
            }
            case Function.REBUILD_TENSOR_V2, Function.REBUILD_TENSOR_V3 -> rebuilder.tensor(at, (Function) function, items);
            case Function.REBUILD_PARAMETER, Function.REBUILD_PARAMETER_WITH_STATE -> rebuilder.parameter(at, (Function) function, items);
            default -> throw refused("REDUCE calls %s, which is nothing that can be called".formatted(function.kind()));
        });
    }

    /** Attributes of an ordered dictionary, {@code _metadata} of a state_dict, which no tensor depends on. */
    private void build() {
        PickleValue state = pop();
        if (!(top() instanceof Dictionary) || !(state instanceof Dictionary)) {
            throw refused("BUILD gives %s the state %s; only dictionaries are built".formatted(top().kind(), state.kind()));
        }
    }

    private void frame() {
        long length = in.readLong("a frame's length");
        if (length < 0 || length > in.remaining()) {
            throw damaged("a frame has %s bytes, but %d are left".formatted(Long.toUnsignedString(length), in.remaining()));
        }
    }

    private CheckpointFormatException damaged(String problem) {
        return in.damaged(at, "data.pkl: %s. It is damaged; download the file again".formatted(problem));
    }

    private CheckpointFormatException refused(String problem) {
        return in.damaged(at, "data.pkl: %s. %s".formatted(problem, REMEDY));
    }
}
