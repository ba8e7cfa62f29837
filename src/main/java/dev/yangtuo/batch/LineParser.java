package dev.yangtuo.batch;

import java.util.Optional;

/** Makes a request of a line. */
interface LineParser {
    /**
     * What a line says.
     *
     * @param id empty if the line gives none
     * @param request makes the request, with the id that was given or the number of the line
     */
    record Parsed(Optional<RecordId> id, InputRecord.Reply reply, RequestSource request) {}

    /** The rest of the work, whose problems already have an id. */
    interface RequestSource {
        BatchRequest make(String id) throws RequestProblem;
    }

    /**
     * Finds out whose line it is.
     *
     * @param line not blank
     */
    Parsed parse(byte[] line) throws RequestProblem;
}
