package dev.yangtuo.jinja;

import java.time.LocalDateTime;

/**
 * One run of a template.
 *
 * @param budget what it may still do
 * @param now for {@code strftime_now}
 */
record Rendering(Budget budget, LocalDateTime now) {
    TextBuilder text() {
        return new TextBuilder(budget);
    }
}
