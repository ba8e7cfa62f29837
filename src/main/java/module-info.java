/** Runs LLaMA models natively inside a Java program. */
module dev.yangtuo {
    requires com.fasterxml.jackson.databind;
    requires static transitive org.jspecify;

    exports dev.yangtuo.exception;
}
