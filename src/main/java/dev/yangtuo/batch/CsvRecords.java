package dev.yangtuo.batch;

import dev.yangtuo.GenerationResult;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/** CSV with a header: {@code id,text,finish_reason,prompt_tokens,completion_tokens,error}. What a record does not have is empty. */
final class CsvRecords implements RecordFormat {
    private final Csv csv;
    private final boolean prompts;

    /** @param prompts whether a column {@code prompt} stands before the text */
    CsvRecords(Csv csv, boolean prompts) {
        this.csv = csv;
        this.prompts = prompts;
    }

    @Override
    public byte[] preamble() {
        return row("id", "prompt", "text", "finish_reason", "prompt_tokens", "completion_tokens", "error");
    }

    @Override
    public byte[] record(Finished finished) {
        String id = finished.record().id().text();
        String prompt = finished.prompt() == null ? "" : finished.prompt();
        return switch (finished.result()) {
            case BatchResult.Failed failed -> row(id, prompt, "", "", "", "", failed.message());
            case BatchResult.Generated generated -> {
                GenerationResult result = generated.result();
                yield row(id, prompt, result.text(), result.finishReason().name().toLowerCase(Locale.ROOT), result.promptTokens(), result.generatedTokens(), "");
            }
        };
    }

    private byte[] row(Object id, Object prompt, Object... others) {
        List<Object> fields = new ArrayList<>(List.of(id));
        if (prompts) {
            fields.add(prompt);
        }
        fields.addAll(List.of(others));
        return csv.record(fields.toArray());
    }
}
