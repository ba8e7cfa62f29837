# To be sourced by the scripts beside it, with $0 one of them: builds the library and the benchmarks, and sets root, java and jar.
# The JDK is the one that the launcher takes: JAVA_HOME, the PATH, or the usual folders.
root=$(CDPATH= cd -- "$(dirname -- "$0")/.." && pwd -P)
JAVA_HOME=$("$root/yangtuo" --print-java-home)
export JAVA_HOME
export MAVEN_OPTS="--sun-misc-unsafe-memory-access=allow --enable-native-access=ALL-UNNAMED ${MAVEN_OPTS:-}"

build() {
    mvn --batch-mode --no-transfer-progress --quiet "$@" >&2
}

build --file "$root/pom.xml" install -Dmaven.test.skip=true
build --file "$root/benchmarks/pom.xml" package

java=$JAVA_HOME/bin/java
jar=$root/benchmarks/target/benchmarks.jar
