package dev.yangtuo.model;

import dev.yangtuo.lora.MergeReport;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.List;

/**
 * What of a merge report only the merge itself finds out: the norms. All else follows from the files without reading their tensors. For each adapter its norm,
 * the number of its changes, and for each of them its parameter and its norm.
 */
final class MergeNote {
    private MergeNote() {}

    static byte[] of(MergeReport report) {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        try (DataOutputStream out = new DataOutputStream(bytes)) {
            for (MergeReport.Adapter adapter : report.adapters()) {
                out.writeDouble(adapter.relativeNorm());
                out.writeInt(adapter.changes().size());
                for (MergeReport.Change change : adapter.changes()) {
                    out.writeUTF(change.parameter());
                    out.writeDouble(change.relativeNorm());
                }
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e); // memory takes everything
        }
        return bytes.toByteArray();
    }

    /**
     * A report of a merge that read nothing, with the norms of one that did.
     *
     * @throws IOException if the note is of another merge
     */
    static MergeReport restore(MergeReport report, byte[] note) throws IOException {
        List<MergeReport.Adapter> adapters = new ArrayList<>();
        try (DataInputStream in = new DataInputStream(new ByteArrayInputStream(note))) {
            for (MergeReport.Adapter adapter : report.adapters()) {
                double norm = in.readDouble();
                adapters.add(new MergeReport.Adapter(adapter.source(), changes(adapter.changes(), in), adapter.vocabularyBefore(), adapter.vocabularyAfter(), norm,
                        adapter.unmatchedKeys(), adapter.notes()));
            }
            if (in.available() > 0) {
                throw new IOException("its report is of more adapters");
            }
        }
        return new MergeReport(adapters);
    }

    private static List<MergeReport.Change> changes(List<MergeReport.Change> changes, DataInputStream in) throws IOException {
        int count = in.readInt();
        if (count != changes.size()) {
            throw new IOException("its report has %d changes instead of %d".formatted(count, changes.size()));
        }
        List<MergeReport.Change> restored = new ArrayList<>();
        for (MergeReport.Change change : changes) {
            String parameter = in.readUTF();
            if (!parameter.equals(change.parameter())) {
                throw new IOException("its report is of another adapter");
            }
            restored.add(new MergeReport.Change(
                    parameter, change.kinds(), change.rowsBefore(), change.rows(), change.tokenRows(), change.overwritten(), in.readDouble()));
        }
        return restored;
    }
}
