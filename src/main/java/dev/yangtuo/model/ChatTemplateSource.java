package dev.yangtuo.model;

import java.nio.file.Path;

/**
 * The Jinja template of a chat as a model brings it; neither parsed nor believed.
 *
 * @param text the template
 * @param file that it is from
 */
public record ChatTemplateSource(String text, Path file) {}
