/*
 * Reads what nvcc made of the kernels, for every architecture: a kernel has the instructions that it is for, and keeps nothing in local memory that belongs into registers.
 *   yangtuo_cuda_instructions [--list] [--nvdisasm PROGRAM] [--architectures 75,80] [--report FILE] FILE... [--kept OBJECT...]
 *
 * FILE: a cubin, or a file that holds some uncompressed, such as an object of nvcc --no-compress. --report: what ptxas said with -Xptxas -v. --kept: what native/cuda/keep.sh kept
 * of these object files. --architectures: those that every kernel must be there for. --list: prints a line for each kernel. --nvdisasm: has NVIDIA's disassembler read each cubin,
 * too, where it knows the architecture, and compares.
 *
 * From compute capability 7.0 on an instruction takes 16 bytes. NVIDIA does not document them; what is used here was found by comparing with its disassembler, which --nvdisasm
 * repeats: the low 9 bits name the operation, the next 3 the kinds of its operands, bits 73 to 75 the width of an access, others the types of a product. For 10.0 and 12.0,
 * which the disassembler at hand did not know, small kernels with one known PTX instruction each gave the same bits as for 9.0, but for LDGSTS.
 */
#define _GNU_SOURCE
#include <glob.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { EM_CUDA = 190, SHT_PROGBITS = 1, INSTRUCTION_BYTES = 16, MAX_ARCHITECTURES = 16, MAX_NAMES = 64, MAX_WORD = 48 };

/* ---- what the kernels must have -------------------------------------------------------------------------------------------------------- */

/*
 * Kernels whose name begins so (the first that fits counts), with template parameters as they are mangled: <1> is ILi1E; what each must have, with @80 only from compute
 * capability 8.0 on. The words between dots must be among those of an instruction's name. Local memory, where spilled registers go, is for kernels of prompts
 * alone, which are bound by arithmetic.
 */
typedef enum { NO_SPILLS, MAY_SPILL, MUST_SPILL } local_memory;

typedef struct {
    const char *kernel;
    const char *instructions;
    local_memory local;
} requirement;

static const requirement requirements[] = {
    /* elements.cu, candidates.cu */
    {"embed", "LDG STG", NO_SPILLS},
    {"prepare", "LDG STG", NO_SPILLS},
    {"append", "LDG STG", NO_SPILLS},
    {"edit", "LDG STG", NO_SPILLS},
    {"choose", "LDG STG", NO_SPILLS},
    {"swiglu", "LDG STG", NO_SPILLS},
    /* products.cu, products_mma.cu, products_float.cu; of 16 rows F16 has 32 bytes beside each other, which a lane reads in words of 8 */
    {"yt_multiply_dp4a", "LDG.128 IDP.4A.U8.S8 LDGSTS.128@80", NO_SPILLS},
    {"yt_multiply_mma", "LDG.128 IMMA.U8.S8 LDSM.4 LDGSTS.128@80", MAY_SPILL},
    {"yt_multiply_halvesILi1E", "LDG.64 HMMA.F32.F16 LDSM.4 LDGSTS.128@80", NO_SPILLS},
    {"yt_multiply_halvesILi30E", "LDG.128 HMMA.F32.BF16@80 LDSM.4 LDGSTS.128@80", NO_SPILLS},
    {"yt_multiply_floats", "LDS.128 LDGSTS.128@80", NO_SPILLS},
    /* attention.cu: head size, whether keys and values are quantized, warps of sixteen rows, of which generation has one */
    {"attentionILi64ELb0ELi1E", "HMMA.F32.F16 LDSM.M88.4 LDSM.MT88.4 LDGSTS.128@80", NO_SPILLS},
    {"attentionILi128ELb0ELi1E", "HMMA.F32.F16 LDSM.M88.4 LDSM.MT88.4 LDGSTS.128@80", NO_SPILLS},
    {"attentionILi256ELb0ELi1E", "HMMA.F32.F16 LDSM.M88.4 LDSM.MT88.4 LDGSTS.128@80", NO_SPILLS},
    {"attentionILi64ELb1ELi1E", "IMMA.U8.S8 HMMA.F32.F16 LDSM.M88.4 LDGSTS.128@80", NO_SPILLS},
    {"attentionILi128ELb1ELi1E", "IMMA.U8.S8 HMMA.F32.F16 LDSM.M88.4 LDGSTS.128@80", NO_SPILLS},
    {"attentionILi256ELb1ELi1E", "IMMA.U8.S8 HMMA.F32.F16 LDSM.M88.4 LDGSTS.128@80", NO_SPILLS},
    {"attention", "HMMA.F32.F16 LDSM.M88.4 LDGSTS.128@80", MAY_SPILL},
    /* instructions_samples.cu */
    {"yt_sample_widths", "LDG.128 LDG.64 LDG LDG.U16 LDG.U8 LDG.S8 STG.128 STG.64 STG STG.U16 STG.U8 LDS.128 LDS.64 LDS LDS.U16 LDS.U8 STS.128 STS.64 STS STS.U16 STS.U8", NO_SPILLS},
    {"yt_sample_dp4a", "LDG.128 IDP.4A.U8.S8 IDP.4A.S8.S8 IDP.4A.U8.U8", NO_SPILLS},
    {"yt_sample_tiles", "LDSM.M88.4 LDSM.MT88.4 IMMA.U8.S8 IMMA.16832.U8.S8@80 HMMA.F32.F16 HMMA.16816.F32.F16@80 HMMA.BF16@80 LDGSTS.128@80", NO_SPILLS},
    {"yt_sample_spill", "LDG STG", MUST_SPILL},
};

/* ---- failures -------------------------------------------------------------------------------------------------------------------------- */

static int n_failures = 0;

#define FAIL(...) (n_failures++, printf("FAILED " __VA_ARGS__), putchar('\n'))

/* ---- instructions ---------------------------------------------------------------------------------------------------------------------- */

typedef struct {
    uint64_t low;
    uint64_t high;
} instruction;

static unsigned bit(uint64_t word, int at)
{
    return word >> at & 1;
}

/* The name of an instruction as nvdisasm has it, with the words that matter here; empty for all others. */
static void name_of(instruction code, int architecture, char name[MAX_WORD])
{
    static const char *const widths[8] = {".U8", ".S8", ".U16", ".S16", "", ".64", ".128", ""};
    static const struct {
        unsigned operation;
        const char *name;
    } accesses[] = {{0x180, "LD"}, {0x181, "LDG"}, {0x183, "LDL"}, {0x184, "LDS"}, {0x185, "ST"}, {0x186, "STG"}, {0x187, "STL"}, {0x188, "STS"}};
    const unsigned operation = code.low & 0x1ff;
    name[0] = 0;
    for (size_t i = 0; i < sizeof accesses / sizeof *accesses; i++) {
        if (accesses[i].operation == operation) {
            snprintf(name, MAX_WORD, "%s%s", accesses[i].name, widths[code.high >> 9 & 7]);
        }
    }
    const char *const types[2] = {"U8", "S8"};
    switch (operation) {
    case 0x1ae:
        snprintf(name, MAX_WORD, "LDGSTS%s", widths[code.high >> (architecture >= 100 ? 10 : 9) & 7]);
        break;
    case 0x026:
        if (!bit(code.high, 12)) {
            snprintf(name, MAX_WORD, "IDP.4A.%s.%s", types[bit(code.high, 9)], types[bit(code.high, 10)]);
        }
        break;
    case 0x037:
        snprintf(name, MAX_WORD, "IMMA.%s.%s.%s", bit(code.high, 22) ? bit(code.high, 11) ? "16832" : "16816" : "8816", types[bit(code.high, 12)],
            types[bit(code.high, 14)]);
        break;
    case 0x03c:
        snprintf(name, MAX_WORD, "HMMA.%s.%s.%s", bit(code.high, 11) ? "16816" : "1688", bit(code.high, 12) ? "F32" : "F16", bit(code.high, 18) ? "BF16" : "F16");
        break;
    case 0x03b:
        snprintf(name, MAX_WORD, "LDSM.16.%s.%s", bit(code.high, 14) ? "MT88" : "M88", bit(code.high, 9) ? "4" : bit(code.high, 8) ? "2" : "1");
        break;
    default:
        break;
    }
}

/* Whether every word of pattern, which ends at end, is one of name. */
static bool has_words(const char *name, const char *pattern, const char *end)
{
    while (pattern < end) {
        const char *next = memchr(pattern, '.', (size_t)(end - pattern));
        const size_t length = (size_t)((next != NULL ? next : end) - pattern);
        const char *word = name;
        while (word != NULL && !(strncmp(word, pattern, length) == 0 && (word[length] == '.' || word[length] == 0))) {
            word = strchr(word, '.');
            word = word != NULL ? word + 1 : NULL;
        }
        if (word == NULL) {
            return false;
        }
        pattern += length + 1;
    }
    return true;
}

/* ---- what was found of a kernel -------------------------------------------------------------------------------------------------------- */

typedef struct {
    char symbol[512];
    int architecture;
    int n_names;
    struct {
        char name[MAX_WORD];
        int count;
    } names[MAX_NAMES];
    int n_instructions;
} kernel;

static void count(kernel *k, const char *name)
{
    int i = 0;
    while (i < k->n_names && strcmp(k->names[i].name, name) != 0) {
        i++;
    }
    if (i == MAX_NAMES) {
        FAIL("%s: more than %d different instructions", k->symbol, MAX_NAMES);
        return;
    }
    if (i == k->n_names) {
        k->n_names++;
        k->names[i].count = 0;
        snprintf(k->names[i].name, MAX_WORD, "%s", name);
    }
    k->names[i].count++;
}

/*
 * Where in a mangled symbol (Itanium C++ ABI) the name of the source begins, with the values of template parameters behind it: _Z, perhaps L, and the name with its length
 * before it; in a namespace N, and the namespaces' names first.
 */
static const char *name_in(const char *symbol)
{
    if (strncmp(symbol, "_Z", 2) != 0) {
        return symbol;
    }
    const bool is_nested = symbol[2] == 'N';
    const char *name = symbol;
    const char *p = symbol + 2 + strspn(symbol + 2, "NL");
    do {
        char *end;
        const unsigned long length = strtoul(p, &end, 10);
        if (end == p || length > strlen(end)) {
            break;
        }
        name = end;
        p = end + length + (end[length] == 'L');
    } while (is_nested);
    return name;
}

static const requirement *requirement_of(const char *symbol)
{
    const char *name = name_in(symbol);
    for (size_t i = 0; i < sizeof requirements / sizeof *requirements; i++) {
        if (strncmp(name, requirements[i].kernel, strlen(requirements[i].kernel)) == 0) {
            return &requirements[i];
        }
    }
    return NULL;
}

static bool has_instruction(const kernel *k, const char *pattern, const char *end)
{
    for (int i = 0; i < k->n_names; i++) {
        if (has_words(k->names[i].name, pattern, end)) {
            return true;
        }
    }
    return false;
}

static void check_kernel(const kernel *k)
{
    const requirement *wanted = requirement_of(k->symbol);
    if (wanted == NULL) {
        FAIL("%s: it is not said in this program which instructions it should have", k->symbol);
        return;
    }
    for (const char *p = wanted->instructions; *p != 0;) {
        const size_t length = strcspn(p, " ");
        const char *at = memchr(p, '@', length);
        const int since = at != NULL ? atoi(at + 1) : 0;
        const char *end = at != NULL ? at : p + length;
        if (k->architecture >= since && !has_instruction(k, p, end)) {
            FAIL("%s for %d: no instruction %.*s", k->symbol, k->architecture, (int)(end - p), p);
        }
        p += length + (p[length] == ' ');
    }
    int n_local = 0;
    for (int i = 0; i < k->n_names; i++) {
        const bool is_local = strncmp(k->names[i].name, "LDL", 3) == 0 || strncmp(k->names[i].name, "STL", 3) == 0;
        n_local += is_local ? k->names[i].count : 0;
    }
    if (wanted->local == MUST_SPILL ? n_local == 0 : wanted->local == NO_SPILLS && n_local > 0) {
        FAIL("%s for %d: %d instructions read or write local memory", k->symbol, k->architecture, n_local);
    }
}

static void list(const kernel *k)
{
    printf("%d %s: %d instructions", k->architecture, k->symbol, k->n_instructions);
    for (int i = 0; i < k->n_names; i++) {
        printf(", %d %s", k->names[i].count, k->names[i].name);
    }
    putchar('\n');
}

/* ---- cubins ---------------------------------------------------------------------------------------------------------------------------- */

typedef struct {
    const uint8_t *data;
    uint64_t size;
} bytes;

static uint64_t number(bytes b, uint64_t at, int width)
{
    uint64_t value = 0;
    for (int i = 0; i < width && at < b.size && b.size - at > (uint64_t)i; i++) {
        value |= (uint64_t)b.data[at + (uint64_t)i] << 8 * i;
    }
    return value;
}

/* Where a section header has its fields (ELF-64). */
enum { SH_NAME = 0, SH_TYPE = 4, SH_OFFSET = 24, SH_SIZE = 32, SH_BYTES = 64 };

static const char *section_name(bytes elf, uint64_t name)
{
    const uint64_t table = number(elf, 0x28, 8) + number(elf, 0x3e, 2) * SH_BYTES;
    const uint64_t at = number(elf, table + SH_OFFSET, 8) + name;
    return at < elf.size && memchr(elf.data + at, 0, elf.size - at) != NULL ? (const char *)elf.data + at : "";
}

/* The compute capability, in the flags: since version 8 of the ABI in their second byte, before in the first. */
static int architecture_of(bytes elf)
{
    return (int)(number(elf, 0x30, 4) >> (number(elf, 8, 1) >= 8 ? 8 : 0) & 0xff);
}

/* What is done with every kernel of a cubin. */
typedef struct {
    const int *architectures;
    int n_architectures;
    bool list;
    const char *nvdisasm; /* NULL: it is not asked */
    int n_kernels;
    int n_reported; /* by ptxas */
    int n_seen[MAX_ARCHITECTURES]; /* kernels of each architecture */
} survey;

static void read_kernel(bytes elf, uint64_t header, const char *symbol, int architecture, survey *s)
{
    const uint64_t offset = number(elf, header + SH_OFFSET, 8);
    const uint64_t size = number(elf, header + SH_SIZE, 8);
    if (offset > elf.size || size > elf.size - offset) {
        FAIL("%s: the code lies outside of the file", symbol);
        return;
    }
    kernel k = {.architecture = architecture};
    snprintf(k.symbol, sizeof k.symbol, "%s", symbol);
    for (uint64_t at = offset; at + INSTRUCTION_BYTES <= offset + size; at += INSTRUCTION_BYTES) {
        char name[MAX_WORD];
        name_of((instruction){number(elf, at, 8), number(elf, at + 8, 8)}, architecture, name);
        k.n_instructions++;
        if (name[0] != 0) {
            count(&k, name);
        }
    }
    check_kernel(&k);
    if (s->list) {
        list(&k);
    }
    s->n_kernels++;
    for (int i = 0; i < s->n_architectures; i++) {
        s->n_seen[i] += s->architectures[i] == architecture;
    }
}

/* Returns the bytes that the cubin takes. */
static uint64_t read_cubin(bytes elf, survey *s)
{
    const int architecture = architecture_of(elf);
    const uint64_t headers = number(elf, 0x28, 8);
    const uint64_t n_sections = number(elf, 0x3c, 2);
    static const char prefix[] = ".text.";
    for (uint64_t i = 0; i < n_sections; i++) {
        const uint64_t header = headers + i * SH_BYTES;
        const char *name = section_name(elf, number(elf, header + SH_NAME, 4));
        if (number(elf, header + SH_TYPE, 4) == SHT_PROGBITS && strncmp(name, prefix, sizeof prefix - 1) == 0) {
            read_kernel(elf, header, name + sizeof prefix - 1, architecture, s);
        }
    }
    return headers + n_sections * SH_BYTES;
}

/* ---- NVIDIA's disassembler ------------------------------------------------------------------------------------------------------------- */

/* Whether both names are of one instruction as far as ours goes: every word of ours is one of theirs, where they leave F16 out. */
static bool agree(const char *ours, const char *theirs)
{
    for (const char *p = ours; *p != 0;) {
        const size_t length = strcspn(p, ".");
        const bool unsaid = strncmp(p, "F16", length) == 0 && length == 3;
        if (!unsaid && !has_words(theirs, p, p + length)) {
            return false;
        }
        p += length + (p[length] == '.');
    }
    return strstr(ours, "BF16") != NULL || strstr(theirs, "BF16") == NULL;
}

/* Theirs is one of those that name_of knows. */
static bool is_of_interest(const char *theirs)
{
    static const char *const names[] = {"LD", "LDG", "LDL", "LDS", "ST", "STG", "STL", "STS", "LDGSTS", "LDSM", "IMMA", "HMMA"};
    const size_t length = strcspn(theirs, ".");
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        if (strlen(names[i]) == length && strncmp(theirs, names[i], length) == 0) {
            return true;
        }
    }
    return strncmp(theirs, "IDP.4A", 6) == 0;
}

/* A line of nvdisasm -hex: address, perhaps a predicate, the instruction, its first 8 bytes; the other 8 stand in the next line. */
static bool parse_line(const char *line, char theirs[128], uint64_t *word)
{
    const char *hex = strstr(line, "/* 0x");
    if (hex == NULL) {
        return false;
    }
    *word = strtoull(hex + 3, NULL, 16);
    theirs[0] = 0;
    const char *address = strstr(line, "/*");
    if (address < hex) {
        const char *p = strstr(address + 2, "*/") + 2;
        p += strspn(p, " \t{");
        if (*p == '@') {
            p += strcspn(p, " ");
            p += strspn(p, " ");
        }
        snprintf(theirs, 128, "%.*s", (int)strcspn(p, " ;"), p);
    }
    return true;
}

static void compare(bytes elf, const char *program)
{
    char path[] = "/tmp/yangtuo-cubin-XXXXXX";
    const int file = mkstemp(path);
    FILE *out = file >= 0 ? fdopen(file, "wb") : NULL;
    if (out == NULL || fwrite(elf.data, 1, elf.size, out) != elf.size || fclose(out) != 0) {
        FAIL("%s cannot be written", path);
        return;
    }
    char command[1024];
    snprintf(command, sizeof command, "'%s' -c -hex %s 2>&1", program, path);
    FILE *in = popen(command, "r");
    char line[1024];
    char theirs[128] = "";
    int n_compared = 0;
    int n_different = 0;
    int n_lines = 0;
    instruction code = {0, 0};
    while (in != NULL && fgets(line, sizeof line, in) != NULL) {
        char next[128];
        uint64_t word;
        if (n_lines++ == 0 && strstr(line, "Cannot decode architecture") != NULL) {
            printf("%s does not know compute capability %d\n", program, architecture_of(elf));
            n_compared = -1;
        }
        if (!parse_line(line, next, &word)) {
            continue;
        }
        if (next[0] != 0) {
            snprintf(theirs, sizeof theirs, "%s", next);
            code.low = word;
            continue;
        }
        code.high = word;
        char ours[MAX_WORD];
        name_of(code, architecture_of(elf), ours);
        if (is_of_interest(theirs) ? ours[0] == 0 || !agree(ours, theirs) : ours[0] != 0) {
            n_different++;
            FAIL("%016llx %016llx for %d is %s, and is taken for '%s'", (unsigned long long)code.low, (unsigned long long)code.high, architecture_of(elf), theirs, ours);
        }
        n_compared++;
    }
    if (in == NULL || (pclose(in) != 0 && n_compared >= 0) || n_compared == 0) {
        FAIL("%s: it failed, or printed no instructions", command);
    } else if (n_compared > 0) {
        printf("%d: %d instructions compared with %s's, %d are different\n", architecture_of(elf), n_compared, program, n_different);
    }
    remove(path);
}

/* ---- files ----------------------------------------------------------------------------------------------------------------------------- */

static bytes read_file(const char *path)
{
    FILE *in = fopen(path, "rb");
    uint8_t *data = NULL;
    size_t size = 0;
    if (in != NULL) {
        size_t n = 0;
        do {
            size += n;
            uint8_t *larger = realloc(data, size + 65536);
            if (larger == NULL) {
                abort();
            }
            data = larger;
        } while ((n = fread(data + size, 1, 65536, in)) > 0);
        fclose(in);
    }
    if (size == 0) {
        FAIL("%s: cannot be read, or is empty", path);
    }
    return (bytes){data, size};
}

static void read_cubins(const char *path, survey *s)
{
    const bytes file = read_file(path);
    int n_cubins = 0;
    for (uint64_t at = 0; at + 64 < file.size; at++) {
        bytes elf = {file.data + at, file.size - at};
        if (memcmp(elf.data, "\x7f" "ELF", 4) == 0 && number(elf, 0x12, 2) == EM_CUDA) {
            const uint64_t size = read_cubin(elf, s);
            /* Program headers come last. */
            const uint64_t end = number(elf, 0x20, 8) + number(elf, 0x36, 2) * number(elf, 0x38, 2);
            elf.size = size > end ? size : end;
            if (elf.size > file.size - at) {
                FAIL("%s: a cubin goes on behind its end", path);
            } else if (s->nvdisasm != NULL) {
                compare(elf, s->nvdisasm);
            }
            n_cubins++;
        }
    }
    if (n_cubins == 0) {
        FAIL("%s: there is no uncompressed cubin in it", path);
    }
    free((void *)file.data);
}

/* ptxas -v: lines of the kernel and architecture, then of its stack and spills. */
static void read_report(const char *path, survey *s)
{
    const bytes file = read_file(path);
    char *text = calloc(file.size + 1, 1);
    if (text == NULL) {
        abort();
    }
    memcpy(text, file.data, file.size);
    char symbol[512] = "";
    char architecture[32] = "";
    int n_kernels = 0;
    for (char *line = strtok(text, "\n"); line != NULL; line = strtok(NULL, "\n")) {
        unsigned stack;
        unsigned stores;
        unsigned loads;
        const char *entry = strstr(line, "Compiling entry function");
        if (entry != NULL) {
            n_kernels += sscanf(entry, "Compiling entry function '%511[^']' for '%31[^']'", symbol, architecture) == 2;
        } else if (sscanf(line, " %u bytes stack frame, %u bytes spill stores, %u bytes spill loads", &stack, &stores, &loads) == 3) {
            const requirement *wanted = requirement_of(symbol);
            const unsigned n_bytes = stack + stores + loads;
            if (wanted != NULL && (wanted->local == MUST_SPILL ? n_bytes == 0 : wanted->local == NO_SPILLS && n_bytes > 0)) {
                FAIL("%s for %s: %u bytes of stack, %u spilled, %u loaded again, says ptxas", symbol, architecture, stack, stores, loads);
            }
        }
    }
    s->n_reported += n_kernels;
    free(text);
    free((void *)file.data);
}

/* What keep.sh has kept of an object file. */
static void read_kept(const char *object, survey *s)
{
    char path[4096];
    snprintf(path, sizeof path, "%s.ptxas", object);
    read_report(path, s);
    snprintf(path, sizeof path, "%s.kept/*.cubin", object);
    glob_t found = {0};
    if (glob(path, 0, NULL, &found) != 0) {
        FAIL("%s: there is no such file; native/cuda/keep.sh makes them", path);
    }
    for (size_t i = 0; i < found.gl_pathc; i++) {
        read_cubins(found.gl_pathv[i], s);
    }
    globfree(&found);
}

static int parse_architectures(const char *text, int out[MAX_ARCHITECTURES])
{
    int n = 0;
    while (n < MAX_ARCHITECTURES) {
        out[n++] = atoi(text);
        text = strchr(text, ',');
        if (text == NULL) {
            break;
        }
        text++;
    }
    return n;
}

int main(int argc, char **argv)
{
    int architectures[MAX_ARCHITECTURES];
    survey s = {.architectures = architectures};
    bool are_objects = false;
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--list") == 0) {
            s.list = true;
        } else if (strcmp(argv[i], "--nvdisasm") == 0 && i + 1 < argc) {
            s.nvdisasm = argv[++i];
        } else if (strcmp(argv[i], "--architectures") == 0 && i + 1 < argc) {
            s.n_architectures = parse_architectures(argv[++i], architectures);
        } else if (strcmp(argv[i], "--report") == 0 && i + 1 < argc) {
            read_report(argv[++i], &s);
        } else if (strcmp(argv[i], "--kept") == 0) {
            are_objects = true;
        } else if (are_objects) {
            read_kept(argv[i], &s);
        } else {
            read_cubins(argv[i], &s);
        }
    }
    for (int i = 0; i < s.n_architectures; i++) {
        if (s.n_seen[i] == 0 || s.n_seen[i] != s.n_seen[0]) {
            FAIL("%d kernels for %d, %d for %d", s.n_seen[i], architectures[i], s.n_seen[0], architectures[0]);
        }
    }
    printf("%d kernels read, %d reported by ptxas, %d failures\n", s.n_kernels, s.n_reported, n_failures);
    return n_failures > 0;
}
