# To be sourced by launchers of the command line program, the checkout's and the archive's: finds Java and runs the program.
#
#   JAVA_HOME            a Java 25 or newer; otherwise one is looked for on the PATH and in the usual folders
#   YANGTUO_JAVA_OPTS    more options for java, separated by blanks

minimum_java=25
main_class=dev.yangtuo.cli.Main

say() { printf 'yangtuo: %s\n' "$*" >&2; }
die() { say "$@"; exit 1; }

# Major version of the JDK or JRE in a folder, 0 if there is none. Reads its file `release`, for starting a JVM would take longer.
java_major() {
    major=0
    if [ -x "$1/bin/java" ] && [ -r "$1/release" ]; then
        while IFS= read -r line; do
            case $line in
                JAVA_VERSION=*)
                    line=${line#JAVA_VERSION=\"}
                    major=${line%%[!0-9]*}
                    ;;
            esac
        done < "$1/release"
    fi
    printf '%s\n' "${major:-0}"
}

# Sets java_home to the first Java that is new enough and has the program $1: JAVA_HOME, the PATH, then the newest of the usual folders.
find_java() {
    java_home=
    path_java=$(command -v "$1" || true)
    [ -z "$path_java" ] || path_java=$(dirname "$(dirname "$(readlink -f "$path_java" 2> /dev/null || printf %s "$path_java")")")
    for candidate in "${JAVA_HOME:-}" "$path_java"; do
        if [ -x "$candidate/bin/$1" ] && [ "$(java_major "$candidate")" -ge $minimum_java ]; then
            java_home=$candidate
            return 0
        fi
    done
    newest=0
    for candidate in /usr/lib/jvm/* /usr/java/* /opt/java/* /opt/jdk* "${HOME:-/nonexistent}"/.sdkman/candidates/java/* \
            /Library/Java/JavaVirtualMachines/*/Contents/Home /opt/homebrew/opt/openjdk*/libexec/openjdk.jdk/Contents/Home; do
        [ -x "$candidate/bin/$1" ] || continue
        major=$(java_major "$candidate")
        if [ "$major" -ge $minimum_java ] && [ "$major" -gt "$newest" ]; then
            newest=$major
            java_home=$candidate
        fi
    done
    [ -n "$java_home" ]
}

# Serial collector: the weights live outside the heap, and it starts fastest.
java_options="--enable-native-access=ALL-UNNAMED -XX:+UseSerialGC -XX:-UsePerfData -Dfile.encoding=UTF-8 -Dstdin.encoding=UTF-8 -Dstdout.encoding=UTF-8 -Dstderr.encoding=UTF-8"

# Java decodes its arguments as the locale says. In a locale without Chinese characters, and in one that is set but not installed, what a
# terminal or a script passes is UTF-8 all the same.
fix_locale() {
    command -v locale > /dev/null || return 0
    case $(locale charmap 2> /dev/null) in
        '' | ANSI_X3* | US-ASCII | 646 | ISO-8859-* | ISO8859-*)
            case $(uname -s) in
                Darwin) LC_ALL=en_US.UTF-8 ;;
                *) LC_ALL=C.UTF-8 ;;
            esac
            export LC_ALL
            ;;
    esac
}

# Becomes the program: home is the folder that holds examples/demo-model, class_path what Java loads, start_cache a file that need not be there (JEP 514).
run_program() {
    fix_locale
    set -- -Dyangtuo.home="$home" -cp "$class_path" $main_class "$@"
    case ${YANGTUO_JAVA_OPTS:-} in
        *-Xshare* | *-XX:AOT*) ;; # the JVM takes no second such option
        *) [ ! -f "$start_cache" ] || set -- -XX:AOTCache="$start_cache" -Xlog:aot=off -Xlog:cds=off "$@" ;;
    esac
    set -f # the options are split at blanks, and nothing in them is a pattern
    # shellcheck disable=SC2086
    exec "$java_home/bin/java" $java_options ${YANGTUO_JAVA_OPTS:-} "$@"
}
