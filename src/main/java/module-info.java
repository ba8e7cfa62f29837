/**
 * Runs LLaMA models natively inside a Java program. The API is {@link dev.yangtuo}; {@link dev.yangtuo.tokenizer} can be used alone.
 */
module dev.yangtuo {
    requires com.fasterxml.jackson.databind;
    requires jdk.management;
    requires static transitive org.jspecify;

    // Batches in CSV and Parquet files, evaluations of CSV files.
    requires static com.fasterxml.jackson.dataformat.csv;
    requires static dev.hardwood.core;

    // The command line alone needs these; a program that embeds the library does without.
    requires static info.picocli;
    requires static java.desktop;
    requires static java.logging;
    requires static me.tongfei.progressbar;
    requires static org.jline.reader;
    requires static org.jline.terminal;
    requires static org.knowm.xchart;

    exports dev.yangtuo;
    exports dev.yangtuo.batch;
    exports dev.yangtuo.chat;
    exports dev.yangtuo.eval;
    exports dev.yangtuo.exception;
    exports dev.yangtuo.grammar;
    exports dev.yangtuo.recipe;
    exports dev.yangtuo.tokenizer;

    opens dev.yangtuo.cli to info.picocli;
}
