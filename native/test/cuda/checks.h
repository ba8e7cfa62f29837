/* Counts what fails, for tests in C++; and runs what must end the process. */
#ifndef YT_CUDA_CHECKS_H
#define YT_CUDA_CHECKS_H

#include <cstdio>
#include <string>
#include <sys/wait.h>
#include <unistd.h>

static int failures;

#define CHECK(condition) \
    do { \
        if (!(condition)) { \
            std::printf("FAILED %s:%d: %s\n", __FILE__, __LINE__, #condition); \
            failures++; \
        } \
    } while (0)

/* What a child process that calls run() writes to its standard error, if it is ended by that; empty if it is not. */
template <typename F>
std::string last_words(F run)
{
    int ends[2];
    std::fflush(nullptr);
    if (pipe(ends) != 0) {
        return "";
    }
    const pid_t child = fork();
    if (child == 0) {
        dup2(ends[1], 2);
        run();
        _exit(0);
    }
    close(ends[1]);
    std::string words;
    char buffer[1024];
    for (ssize_t n; (n = read(ends[0], buffer, sizeof buffer)) > 0;) {
        words.append(buffer, (size_t)n);
    }
    close(ends[0]);
    int status = 0;
    waitpid(child, &status, 0);
    return status == 0 ? "" : words;
}

/* run() must end the process, and say a text. */
#define CHECK_ENDS(text, run) \
    do { \
        const std::string words = last_words(run); \
        if (words.find(text) == std::string::npos) { \
            std::printf("FAILED %s:%d: \"%s\" is expected, and not: %s\n", __FILE__, __LINE__, text, words.c_str()); \
            failures++; \
        } \
    } while (0)

#endif
