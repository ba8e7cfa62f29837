/**
 * Runs LLaMA models natively inside a Java program. The API is {@link dev.yangtuo}; {@link dev.yangtuo.tokenizer} can be used alone.
 */
module dev.yangtuo {
    requires com.fasterxml.jackson.databind;
    requires jdk.management;
    requires static transitive org.jspecify;

    // The command line alone needs these; a program that embeds the library does without.
    requires static info.picocli;
    requires static java.desktop;
    requires static me.tongfei.progressbar;
    requires static org.knowm.xchart;

    exports dev.yangtuo;
    exports dev.yangtuo.exception;
    exports dev.yangtuo.grammar;
    exports dev.yangtuo.tokenizer;

    opens dev.yangtuo.cli to info.picocli;
}
